import { UserError } from '../../../core/errors.ts';
import { opsetOf } from '../../../core/onnx/graph.ts';
import { printGraph } from '../../../core/onnx/print.ts';
import { modelCost, suggestBatch } from '../../../kit/model/cost.ts';
import { describeSubstitutes, elementTypes } from '../../../kit/model/element-types.ts';
import { createOracle } from '../../../kit/model/make-oracle.ts';
import { type InputSpec, type Model, sampleAxis } from '../../../kit/model/model.ts';
import { openSessions } from '../../../kit/model/sessions.ts';
import { firstLook, timed } from '../../experiment/pace.ts';
import type { ModelReference } from '../../experiment/schema.ts';
import { loadModel, modelReference, standIns } from '../../host/models.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import type { Allow } from '../guard.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';
import { spikesFlag, spikesOf } from '../settings.ts';
import { layerFacts, layerTable } from '../spiking-layers.ts';
import { table } from '../table.ts';

interface Options extends LimitFlags {
  json?: boolean;
  graph?: boolean;
  output?: string;
  manifest?: string;
  spikes?: string[];
}

export const inspect: Register = (program, exit, guard) => {
  withLimits(program.command('inspect <model>'))
    .description('inputs, classes, ops, cost, and what cuts the gradient')
    .option('--json', 'as JSON')
    .option('--graph', 'print the graph itself')
    .option(...spikesFlag)
    .option('--output <name>', 'which output holds the class scores')
    .option('--manifest <file>', 'manifest of the model')
    .addHelpText('after', '\nExamples:\n  $ provoke inspect face-api/expression\n  $ provoke inspect model.onnx --json')
    .action(async (name: string, options: Options) => {
      const reference = modelReference(name, options, spikesOf(options.spikes));
      exit(await guard({ reference, limits: limitsOf(options) }, (allow) => look(reference, options, allow)));
    });
};

async function look(reference: ModelReference, options: Options, allow: Allow): Promise<void> {
  const runtime = nodeRuntime();
  const started = performance.now();
  const loaded = await loadModel(reference, { base: process.cwd(), runtime });
  const { model } = loaded;
  allow(firstLook((performance.now() - started) / 1000));
  if (options.graph) {
    process.stdout.write(`${printGraph(model.graph)}\n`);
    return;
  }
  const cost = await modelCost(model, runtime.execute);
  const sessions = openSessions(model, runtime, standIns(loaded));
  const gradient = await gradientFacts(model, sessions);
  const time = await timeFacts(model, sessions);
  await sessions.release();
  const facts = {
    name: model.name,
    sha256: model.sha256,
    opset: opsetOf(model.graph),
    inputs: model.inputs,
    output: model.output,
    classes: model.classes,
    ops: countOps(model),
    elementTypes: elementTypes(model),
    parameters: cost.parameters,
    macs: cost.macs,
    gradientBytesPerSample: cost.gradientBytes,
    suggestedBatch: await suggestBatch(model, runtime.execute),
    fixedBatch: model.fixedBatch ?? null,
    inferred: model.inferred,
    note: model.note ?? null,
    ...(time === undefined ? {} : { time }),
    ...(model.spiking === undefined ? {} : { spiking: layerFacts(model, model.spiking) }),
    ...gradient,
  };
  process.stdout.write(options.json ? `${JSON.stringify(facts, null, 2)}\n` : describe(facts, model));
}

type Gradient =
  | {
      readonly differentiable: true;
      readonly cuts: readonly { node: string; op: string }[];
      readonly substitutes: readonly { label: string; at: string }[];
      readonly forwardMs: number;
      readonly gradientMs: number;
    }
  | { readonly differentiable: false; readonly why: string; readonly remedy: string };

async function gradientFacts(model: Model, sessions: ReturnType<typeof openSessions>): Promise<Gradient> {
  const oracle = createOracle(sessions, { maxBatch: model.fixedBatch ?? 8, zeroGradients: true });
  const probes = Array.from({ length: model.fixedBatch ?? 8 }, (_, of) => ({ of, inputs: timed(model) }));
  try {
    const { cuts, substitutes } = await sessions.gradient();
    const forwardMs = await fastest(() => oracle.logits(probes));
    const gradientMs = await fastest(() =>
      oracle.gradient(
        probes,
        probes.map(() => ({ label: 0, ce: 1 })),
      ),
    );
    return {
      differentiable: true,
      cuts: [...cuts],
      substitutes: [...substitutes],
      forwardMs: forwardMs / probes.length,
      gradientMs: gradientMs / probes.length,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { differentiable: false, why: error.message, remedy: error.remedy };
  }
}

interface TimeFacts {
  readonly steps: number;
  /** Slices that forward passes of inputs which begin alike share, or why there are none. */
  readonly slices: number | { readonly reason: string };
}

async function timeFacts(model: Model, sessions: ReturnType<typeof openSessions>): Promise<TimeFacts | undefined> {
  const [spec] = Object.values(model.inputs).filter((s) => sampleAxis(s, 'T') >= 0);
  if (spec === undefined) return undefined;
  const sliced = await sessions.forwardSliced!();
  return {
    steps: spec.shape[sampleAxis(spec, 'T')]!,
    slices: 'reason' in sliced ? { reason: sliced.reason } : sliced.slices.length,
  };
}

const timeLine = ({ steps, slices }: TimeFacts): string =>
  typeof slices === 'number'
    ? `time: ${steps} steps, sliceable: probes that begin alike share passes in ${slices} slices`
    : `time: ${steps} steps, not sliceable: ${slices.reason}`;

async function fastest(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    await call();
    times.push(performance.now() - started);
  }
  return Math.min(...times);
}

function countOps(model: Model): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of model.graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

interface Facts {
  readonly opset: number;
  readonly ops: Readonly<Record<string, number>>;
  readonly elementTypes: readonly string[];
  readonly parameters: number;
  readonly macs: number;
  readonly gradientBytesPerSample: number;
  readonly suggestedBatch: number;
  readonly time?: TimeFacts;
}

function describe(facts: Facts & Gradient, model: Model): string {
  const inputs = Object.entries(model.inputs).map(([name, s]) => [
    name,
    s.role,
    s.layout,
    s.shape.join('x'),
    s.modality,
    s.unit,
    boundsText(s),
    s.storage,
  ]);
  const gradient = facts.differentiable
    ? [
        `gradient: yes, ${facts.gradientMs.toFixed(1)} ms per sample (forward ${facts.forwardMs.toFixed(1)} ms), ${(facts.gradientBytesPerSample / 2 ** 20).toFixed(1)} MB per sample, suggested batch ${facts.suggestedBatch}`,
        ...(facts.cuts.length === 0
          ? ['nothing cuts the gradient']
          : [
              `the gradient ends at ${facts.cuts.length} node(s):`,
              ...facts.cuts.map(
                (c) =>
                  `  ${c.op} "${c.node}": straight-through can stand in (surrogates: { match: { name: ${c.node} }, use: straight-through })`,
              ),
            ]),
        ...describeSubstitutes(facts.substitutes).map((line) => `substitute: ${line}`),
      ]
    : [`gradient: no. ${facts.why}`, `  ${facts.remedy}`];
  return [
    `${model.name} (opset ${facts.opset}, ${model.sha256.slice(0, 12)})`,
    table([['input', 'role', 'layout', 'shape', 'modality', 'unit', 'bounds', 'storage'], ...inputs]),
    `output ${model.output.name}: ${model.output.kind}, ${model.classes.length} classes: ${model.classes.join(', ')}`,
    `ops: ${Object.entries(facts.ops)
      .map(([op, n]) => `${op} ${n}`)
      .join(', ')}`,
    `computes in ${facts.elementTypes.join(', ')}`,
    `${facts.parameters} parameters, ${(facts.macs / 1e6).toFixed(1)} million multiply-accumulates per sample${model.fixedBatch === undefined ? '' : `, fixed batch ${model.fixedBatch}`}`,
    ...(model.spiking === undefined ? [] : [layerTable(layerFacts(model, model.spiking))]),
    ...(facts.time === undefined ? [] : [timeLine(facts.time)]),
    ...gradient,
    ...model.inferred.map((sentence) => `inferred: ${sentence}`),
    ...(model.note === undefined ? [] : [`note: ${model.note}`]),
    '',
  ].join('\n');
}

const boundsText = ({ bounds }: InputSpec): string => (bounds === 'unbounded' ? 'unbounded' : `${bounds.lower}..${bounds.upper}`);
