/** @file One training step as one graph: forward, backward and the update of every parameter; weights and the optimiser's memory are its state. */
import { backward } from '../../core/autodiff/gradient.ts';
import type { Surrogate } from '../../core/autodiff/substitutes.ts';
import { spliceTwins } from '../../core/autodiff/twins.ts';
import { graphBuilder } from '../../core/onnx/builder.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import { plainBodies } from '../../core/onnx/passes/control-flow/plain-bodies.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import { prepare } from '../../core/onnx/passes/prepare.ts';
import { inferShapes } from '../../core/onnx/passes/shapes.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { StateLinks } from '../../core/runtime/stepper.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { zeros } from '../../core/tensor/tensor.ts';
import { type Architecture, inputSignals, type Options } from './architecture.ts';
import { asInputs } from './as-inputs.ts';
import { type NoiseInput, openNet } from './net.ts';
import type { Objective } from './objectives/objective.ts';
import type { Optimiser } from './optimisers/optimiser.ts';

export interface StepOptions {
  readonly seed: number;
  readonly objective: Objective;
  readonly optimiser: Optimiser;
  readonly settings: Options & { readonly lr: number };
  /** Data inputs whose gradient the step returns too, as `grad_NAME`. */
  readonly wrtInputs?: readonly string[];
  readonly surrogates?: readonly Surrogate[];
}

/** Names of what every step reads and returns beside the data inputs. */
export const stepNames = { label: 'label', loss: 'loss', losses: 'losses', logits: 'logits' } as const;

export interface Step {
  readonly graph: Graph;
  /** Parameters, optimiser slots (`PARAMETER/SLOT`) and statistics. */
  readonly links: StateLinks;
  readonly parameters: readonly string[];
  readonly statistics: readonly string[];
  readonly noise: readonly NoiseInput[];
  /** Scalars fed with every step: what the optimiser's `numbers` gives, by input name. */
  readonly numbers: Readonly<Record<string, string>>;
}

/** Writes the step. Outputs: `loss` (the mean), `losses` [N], `logits` [N, classes], and the next state. */
export async function makeStep(architecture: Architecture, runtime: Runtime, options: StepOptions): Promise<Step> {
  const { objective, optimiser, settings, seed } = options;
  const { net, written } = openNet({ mode: 'training', seed });
  const { g } = net;
  const inputs = inputSignals(net, architecture);
  const { loss, logits } = objective.write({
    g,
    inputs,
    classes: architecture.classes.length,
    label: g.input(stepNames.label, ['N'], 'int64'),
    network: (signals) => architecture.write(net, signals).name,
    input: (name, shape, dtype = 'float32') => ({ name: g.input(name, ['N', ...shape], dtype), shape }),
  });
  const losses = g.op('Identity', [loss], {}, stepNames.losses);
  const scores = g.op('Identity', [logits], {}, stepNames.logits);
  const mean = g.op('ReduceMean', [losses], { keepdims: 0 }, stepNames.loss);
  const { parameters, statistics, noise } = written();
  g.output(mean, []);
  g.output(losses, ['N']);
  g.output(scores, ['N', architecture.classes.length]);
  const updated = [...statistics].filter(([name, value]) => name !== value);
  for (const [, value] of updated) g.untypedOutput(value);
  const whole = g.build();
  const first = whole.initializers;

  const free = await prepare(asInputs(whole, [...parameters, ...statistics.keys()]), runtime.execute);
  const spliced = spliceTwins(free, []);
  const plain = plainBodies(spliced.graph);
  const made = backward({ ...spliced, graph: plain }, await inferShapes(plain, runtime.execute), {
    of: [mean],
    wrt: [...parameters, ...(options.wrtInputs ?? [])],
    ...(options.surrogates === undefined ? {} : { surrogates: options.surrogates }),
  });

  const u = graphBuilder({ from: { ...made.graph, outputs: [] } });
  const dims = (name: string): readonly number[] => first.get(name)!.dims;
  const links: Record<string, { next: string; first: Tensor<'float32'> }> = {};
  const link = (input: string, value: string, from: Tensor<'float32'>): void => {
    links[input] = { next: u.output(value, from.dims), first: from };
  };
  u.output(mean, []);
  u.output(losses, ['N']);
  u.output(scores, ['N', architecture.classes.length]);
  for (const name of options.wrtInputs ?? []) u.untypedOutput(made.gradients[name]!);
  const numbers = Object.fromEntries(
    Object.keys(optimiser.numbers(1, settings.lr, settings)).map((name) => [name, u.input(`step_${name}`, [])]),
  );
  for (const parameter of parameters) {
    const slots = optimiser.slots.map((slot) => u.input(`${parameter}/${slot}`, dims(parameter)));
    const next = optimiser.write({ g: u, parameter, gradient: made.gradients[parameter]!, slots, numbers }, settings);
    link(parameter, next.parameter, first.get(parameter) as Tensor<'float32'>);
    for (const [i, slot] of slots.entries()) link(slot, next.slots[i]!, zeros('float32', dims(parameter)));
  }
  for (const [name, value] of updated) link(name, value, first.get(name) as Tensor<'float32'>);
  return { graph: dropDead(u.build()), links, parameters, statistics: [...statistics.keys()], noise, numbers };
}
