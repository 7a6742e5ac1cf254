/** @file Where numbers stopped being finite: asked once, when a step was refused, with the weights that step started from. */
import { UserError } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import { writeForward } from '../step.ts';
import { type StepOptions, stepNames } from '../step-terms.ts';
import { type Batch, openTrainer, type StepResult, type Trainer } from '../trainer.ts';
import type { Task, Where } from './task.ts';

export interface Refused {
  readonly trainer: Trainer;
  readonly task: Pick<Task, 'architecture'>;
  readonly runtime: Runtime;
  readonly step: StepOptions;
  readonly batch: Batch;
  /** Of the samples of the batch. */
  readonly ids: readonly string[];
  readonly result: StepResult;
}

const what = { loss: 'the loss', gradient: 'the norm of the gradient', statistics: 'a running statistic' } as const;

/** The error for a step that was refused: which one, why, where it began, and what is left to go on from (`kept`). */
export async function refusal(
  refused: Refused & { readonly where: Where; readonly perEpoch: number; readonly kept: string },
): Promise<UserError> {
  const { where, perEpoch, kept, result } = refused;
  const place = `epoch ${where.epoch + 1}, step ${(where.step % perEpoch) + 1} of ${perEpoch}`;
  const found = await whereItBegan(refused);
  return new UserError(
    `${what[result.notFinite ?? 'loss']} is not finite in ${place}: ${found.join('; ')}; ${kept}`,
    'lower the learning rate, or limit the gradient with clip: 1',
  );
}

type Floats = Tensor<'float32'>;

const isFloats = (t: Tensor | undefined): t is Floats => t?.dtype === 'float32';
const oddAt = (t: Floats): number => t.data.findIndex((v) => !Number.isFinite(v));
const isOdd = (t: Tensor | undefined): t is Floats => isFloats(t) && oddAt(t) >= 0;
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** Sentences on where a step that was refused went wrong: the samples, the first layer or gradient that is not finite, the largest weight. */
async function whereItBegan(refused: Refused): Promise<string[]> {
  const inputs = oddInputs(refused);
  const layer = inputs.length > 0 ? [] : await firstLayer(refused);
  const back = inputs.length + layer.length === 0 && refused.result.notFinite === 'gradient';
  const gradient = back ? await firstGradient(refused) : [];
  return [...oddSamples(refused), ...inputs, ...layer, ...gradient, largestWeight(refused)];
}

function oddSamples({ result, ids }: Refused): string[] {
  const odd = ids.filter((_, i) => !Number.isFinite(result.losses.data[i]));
  if (odd.length === 0) return [];
  const more = odd.length > 5 ? ` and ${odd.length - 5} more` : '';
  return [`the loss is not finite for ${odd.length} of ${ids.length} samples: ${quoted(odd.slice(0, 5))}${more}`];
}

/** Samples whose very inputs are not finite. */
function oddInputs({ batch, ids }: Refused): string[] {
  const given = Object.entries({ ...batch.inputs, ...batch.extra });
  return given.flatMap(([name, value]) => {
    if (!isOdd(value)) return [];
    const at = oddAt(value);
    const sample = ids[Math.floor(at / (value.data.length / ids.length))]!;
    return [`it began in the data: input "${name}" of sample "${sample}" holds ${value.data[at]}`];
  });
}

/** The first node with a result that is not finite although everything it reads is. */
async function firstLayer({ trainer, task: { architecture }, runtime, step, batch }: Refused): Promise<string[]> {
  const { whole, parameters } = writeForward(architecture, step);
  const weights: ReadonlyMap<string, Tensor> = new Map(Object.entries(trainer.weights({ raw: true })));
  const odd = [...weights].find(([, value]) => isOdd(value));
  if (odd !== undefined)
    return [`it began in the weights: "${odd[0]}" holds ${(odd[1] as Floats).data[oddAt(odd[1] as Floats)]}`];
  const made = [...new Set(whole.nodes.flatMap((node) => node.outputs))].filter((name) => name !== '');
  const graph = {
    ...whole,
    initializers: new Map([...whole.initializers].map(([name, value]) => [name, weights.get(name) ?? value])),
    outputs: made.map((name) => ({ name, dtype: undefined, dims: undefined })),
  };
  const feeds = { ...batch.inputs, [stepNames.label]: batch.label, ...batch.extra, ...batch.noise };
  const values = await runtime.execute(graph, feeds);
  const held = (name: string): Tensor | undefined => values[name] ?? graph.initializers.get(name);
  let layer: string | undefined;
  for (const node of whole.nodes) {
    const own = node.inputs.find((name) => parameters.includes(name));
    layer = own ?? layer;
    const began = node.outputs.some((name) => isOdd(values[name])) && !node.inputs.some((name) => isOdd(held(name)));
    if (!began) continue;
    const place =
      own !== undefined ? `of "${own}"` : layer === undefined ? 'before the first layer' : `after the layer of "${layer}"`;
    return [`it began in the forward pass, at the ${node.op} ${place}`];
  }
  return [];
}

/** The parameter nearest the loss whose gradient is not finite. */
async function firstGradient({ trainer, task: { architecture }, runtime, step, batch }: Refused): Promise<string[]> {
  const { clip: _, ema: __, ...rest } = step;
  const probe = await openTrainer(architecture, runtime, { ...rest, outputs: 'gradients' });
  try {
    const names = Object.keys(probe.state());
    probe.set(Object.fromEntries(Object.entries(trainer.state()).filter(([name]) => names.includes(name))));
    const { gradients } = await probe.step(batch);
    const odd = [...probe.parameters].reverse().find((name) => isOdd(gradients[name]));
    if (odd !== undefined) return [`the forward pass is finite; going back, the gradient of "${odd}" is the first that is not`];
    const [name, largest] = largestOf(gradients);
    return [`the forward pass is finite; the gradients overflow: that of "${name}" reaches ${largest.toPrecision(3)}`];
  } finally {
    await probe.release();
  }
}

function largestWeight({ trainer }: Refused): string {
  const weights = trainer.weights({ raw: true });
  const [name, largest] = largestOf(Object.fromEntries(trainer.parameters.map((parameter) => [parameter, weights[parameter]!])));
  return `the largest weight is ${largest.toPrecision(3)}, in "${name}"`;
}

const largestOf = (tensors: Readonly<Record<string, Floats>>): [name: string, magnitude: number] =>
  Object.entries(tensors)
    .map(([name, { data }]): [string, number] => [name, data.reduce((most, v) => Math.max(most, Math.abs(v)), 0)])
    .reduce((a, b) => (b[1] > a[1] ? b : a));
