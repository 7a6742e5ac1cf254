/** @file From a graph as it was read to a model as attacks see it; what the file does not say is taken from the manifest or inferred, and said. */
import { floatCopy as makeFloatCopy } from '../../core/autodiff/float-copy.ts';
import { suggestion, UserError } from '../../core/errors.ts';
import { type Dim, feedsOf, type Graph } from '../../core/onnx/graph.ts';
import { asking } from '../../core/onnx/passes/asking.ts';
import { bindDims } from '../../core/onnx/passes/bind-dims.ts';
import { prepare } from '../../core/onnx/passes/prepare.ts';
import { type Execute, inferShapes, type ShapeTable } from '../../core/onnx/passes/shapes.ts';
import { unrollSteps } from '../../core/onnx/passes/unroll-steps.ts';
import { statesHalves, widen } from '../../core/onnx/passes/widen.ts';
import { assertValid } from '../../core/onnx/validate.ts';
import { chooseOutput } from './choose-output.ts';
import { drivenByBatch, findCoupling } from './find-coupling.ts';
import { findRandoms } from './find-randoms.ts';
import { findSpikes } from './find-spikes.ts';
import { floatInput, isFloat } from './float-input.ts';
import { type InferredInput, inferInput } from './infer-input.ts';
import { type Manifest, manifestOf, mergeManifests } from './manifest.ts';
import { type InputSpec, type Model, sampleAxis } from './model.ts';
import { forwardGraph } from './sessions.ts';
import { settleBatch } from './settle-batch.ts';

export interface OpenOptions {
  /** What the model is called in messages and results; a name in the manifest wins. */
  readonly name: string;
  /** sha256 of the bytes the graph was read from. */
  readonly sha256: string;
  readonly execute: Execute;
  /** Wins over what the file's own metadata state. */
  readonly manifest?: Manifest;
  readonly outputName?: string;
  /** Sizes of inputs the file leaves open: of one sample, or of the whole input. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Prepares a graph for attacks: validated, brought to opset 18, folded, batch symbolic where that can be proven, logits among the outputs.
 * Throws a UserError for what cannot be read, run or inferred, naming the input, output or node.
 */
export async function openModel(file: Graph, options: OpenOptions): Promise<Model> {
  const { execute } = options;
  assertValid(file, options.name);
  const manifest = mergeManifests(manifestOf(file.metadata, options.name), options.manifest);
  const model = manifest.name ?? options.name;
  const { graph, said: unrolled } = allSteps(file, manifest.spikes);
  const stated = { ...manifest.output, ...(options.outputName === undefined ? {} : { name: options.outputName }) };
  const names = feedsOf(graph).map((v) => v.name);
  for (const name of [...Object.keys(manifest.inputs ?? {}), ...Object.keys(options.inputShapes ?? {})]) {
    if (!names.includes(name)) throw new UserError(`${model} has no input "${name}"`, suggestion(name, names));
  }

  const batch = outputBatch(graph, stated);
  const inferred = Object.fromEntries(
    feedsOf(graph).map((v) => {
      const shape = options.inputShapes?.[v.name];
      const input = manifest.inputs?.[v.name];
      return [v.name, inferInput(v, { model, batch, ...(input ? { stated: input } : {}), ...(shape ? { shape } : {}) })];
    }),
  );
  if (!Object.values(inferred).some((i) => i.spec.role === 'attacked'))
    throw new UserError(
      `${model} has no input that could be attacked: ${names.join(', ')}`,
      'give one the role "attacked" in the manifest (inputs: { NAME: { role: attacked } })',
    );
  for (const [name, { spec }] of Object.entries(inferred)) checkBounds(model, name, spec);

  const fixed = Object.values(inferred).find((i) => typeof i.batch === 'number')?.batch ?? undefined;
  const bound = bindDims(graph, Object.fromEntries(Object.entries(inferred).map(([name, i]) => [name, boundDims(i, fixed)])));
  const typed = withFloatInputs(bound, inferred);
  const runnable = await prepareRunnable(typed.graph, execute);
  const drawn = await findRandoms(runnable.graph, execute, batchOf(runnable.graph, typed.inputs));
  const settled = await settleBatch(drawn.graph, execute, {
    batchAxis: Object.fromEntries([
      ...Object.entries(inferred).flatMap(([name, i]) => (i.batch === undefined ? [] : [[name, i.spec.layout.indexOf('N')]])),
      ...Object.entries(drawn.randoms).flatMap(([name, { layout }]) =>
        layout.includes('N') ? [[name, layout.indexOf('N')]] : [],
      ),
    ]),
    outputAxis: stated.layout?.indexOf('N') ?? 0,
    model,
  });
  const randoms = Object.keys(drawn.randoms).length === 0 ? {} : { randoms: drawn.randoms };
  const fed = { name: model, inputs: typed.inputs, ...randoms, ...pick(settled.fixedBatch) };
  const spikes = await findSpikes(
    { ...fed, graph: settled.graph },
    await inferShapes(settled.graph, asking(execute)),
    manifest.spikes,
    execute,
  );
  const { graph: prepared, shapes } = spikes;
  const chosen = chooseOutput(prepared, {
    model,
    stated,
    shapes,
    batch: batchOf(prepared, typed.inputs),
  });
  const { classes, said } = classNames(model, manifest.classes, chosen.classes);
  const pieces = { ...fed, graph: chosen.graph };
  const coupling =
    manifest.coupling !== undefined
      ? { coupling: manifest.coupling, said: [] }
      : settled.proven
        ? drivenByBatch(pieces)
        : await findCoupling(pieces, chosen.output.logits ?? chosen.output.name, execute);
  const derivative = await copyInFloats({ ...pieces, output: chosen.output }, shapes, execute);
  return {
    ...pieces,
    ...derivative.copy,
    shapes,
    classes,
    output: chosen.output,
    outputs: graph.outputs.map((v) => v.name),
    coupling: coupling.coupling,
    ...(spikes.spiking === undefined ? {} : { spiking: spikes.spiking }),
    inferred: [
      ...unrolled,
      ...Object.values(inferred).flatMap((i) => i.said),
      ...typed.said,
      ...runnable.said,
      ...drawn.said,
      ...settled.said,
      ...spikes.said,
      ...chosen.said,
      ...said,
      ...coupling.said,
      ...derivative.said,
    ],
    ...(manifest.note === undefined ? {} : { note: manifest.note }),
    sha256: options.sha256,
  };
}

/** A file that holds a single step is written out over as many as the manifest says. */
function allSteps(
  file: Graph,
  { states, steps, frames }: NonNullable<Manifest['spikes']> = {},
): { graph: Graph; said: string[] } {
  if (states === undefined && steps === undefined && frames === undefined) return { graph: file, said: [] };
  if (states === undefined || steps === undefined)
    throw new UserError(
      `spikes: ${states === undefined ? 'steps or frames without states' : 'states without steps'}`,
      'state both for a file that holds a single step: spikes: { states: { INPUT: OUTPUT }, steps: 10 }',
    );
  const graph = unrollSteps(file, { states, steps, ...(frames === undefined ? {} : { frames }) });
  const fed = frames === true ? 'a frame of the input' : 'the same input';
  return {
    graph,
    said: [`the file is one step: written out over ${steps}, each fed with ${fed}; outputs are means over the steps`],
  };
}

/** The prepared graph; a float16 model that the runtime cannot run is replaced by its float32 copy, and that is said. */
async function prepareRunnable(graph: Graph, execute: Execute): Promise<{ graph: Graph; said: string[] }> {
  const run = async (candidate: Graph): Promise<Graph> => {
    const prepared = await prepare(candidate, execute);
    await inferShapes(prepared, asking(execute));
    return prepared;
  };
  if (!statesHalves(graph)) return { graph: await prepare(graph, execute), said: [] };
  try {
    return { graph: await run(graph), said: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const said = `float16: ${error.message}; a float32 copy is attacked in place of the file, and every result is that of the copy`;
    return { graph: await run(widen(graph)), said: [said] };
  }
}

/** What the derivative is taken of where the model computes in float16 or integers; a model without one can still be attacked by its answers. */
async function copyInFloats(
  model: Pick<Model, 'name' | 'graph' | 'output'>,
  shapes: ShapeTable,
  execute: Execute,
): Promise<{ copy: Pick<Model, 'floatCopy'>; said: string[] }> {
  try {
    const floatCopy = await makeFloatCopy(forwardGraph(model), shapes, execute);
    if (floatCopy === undefined) return { copy: {}, said: [] };
    return { copy: { floatCopy }, said: [`the file runs as it is; its gradient is that of a ${floatCopy.twin.label}`] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { copy: {}, said: [`no gradient can be taken through its quantised parts: ${error.message}`] };
  }
}

/** Size of the batch as the class scores have it, where the file states that and it is clear which output they are. */
function outputBatch(graph: Graph, stated: NonNullable<Manifest['output']>): Dim {
  const layout = stated.layout ?? 'NC';
  const scores = graph.outputs.filter((v) =>
    stated.name === undefined ? v.dims?.length === layout.length : v.name === stated.name,
  );
  const sizes = new Set(scores.map((v) => v.dims?.[layout.indexOf('N')] ?? null));
  return sizes.size === 1 ? [...sizes][0]! : null;
}

const pick = (fixedBatch: number | undefined) => (fixedBatch === undefined ? {} : { fixedBatch });

/** Sizes of the whole input: those of a sample, and the batch: as the file has it, else what another input fixes it to, else "N". */
function boundDims({ spec, batch }: InferredInput, fixed: Dim | undefined): (number | string)[] {
  const dims: (number | string)[] = [...spec.shape];
  if (batch !== undefined) dims.splice(spec.layout.indexOf('N'), 0, typeof batch === 'number' ? batch : (fixed ?? batch ?? 'N'));
  return dims;
}

/** Attacked inputs of another type, and float16 ones, are declared float32. */
function withFloatInputs(
  graph: Graph,
  inferred: Readonly<Record<string, InferredInput>>,
): { graph: Graph; inputs: Record<string, InputSpec>; said: string[] } {
  let current = graph;
  const inputs: Record<string, InputSpec> = {};
  const said: string[] = [];
  for (const [name, { spec }] of Object.entries(inferred)) {
    inputs[name] = spec;
    if (spec.dtype === 'float32' || (spec.role === 'given' && spec.dtype !== 'float16')) continue;
    const made = floatInput(current, name);
    current = made.graph;
    inputs[name] = { ...spec, dtype: 'float32' };
    said.push(`input "${name}": ${spec.dtype} in the file, fed as float32`);
    if (made.cut)
      said.push(
        `input "${name}": a Cast to ${spec.dtype} stays in the graph and ends the gradient; a straight-through surrogate on it lets it pass`,
      );
  }
  return { graph: current, inputs, said };
}

function batchOf(graph: Graph, inputs: Readonly<Record<string, InputSpec>>): Dim {
  for (const [name, { layout }] of Object.entries(inputs)) {
    const dims = graph.inputs.find((v) => v.name === name)?.dims;
    if (layout.includes('N') && dims !== undefined) return dims[layout.indexOf('N')]!;
  }
  return 'N';
}

function classNames(
  model: string,
  stated: readonly string[] | undefined,
  count: number,
): { classes: readonly string[]; said: string[] } {
  if (stated === undefined)
    return {
      classes: Array.from({ length: count }, (_, i) => `class ${i}`),
      said: [`classes: ${count}, named class 0 ... class ${count - 1}`],
    };
  if (stated.length !== count)
    throw new UserError(
      `${model} has ${count} classes, the manifest names ${stated.length}: ${stated.join(', ')}`,
      'name every class once, in the order of the output',
    );
  const twice = stated.find((name, i) => stated.indexOf(name) < i);
  if (twice !== undefined)
    throw new UserError(`${model}: two classes are named "${twice}"`, 'give every class a name of its own');
  return { classes: stated, said: [] };
}

function checkBounds(model: string, name: string, { bounds, layout, shape, dtype, role }: InputSpec): void {
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`${model}: input "${name}" ${what}`, remedy);
  };
  if (role === 'attacked' && !layout.includes('N'))
    refuse(
      `has the layout "${layout}" without a batch axis N and cannot be attacked`,
      'name the batch axis N, or give it the role "given"',
    );
  if (role === 'attacked' && !isFloat(dtype) && bounds === 'unbounded')
    refuse(`holds ${dtype} values and has no bounds`, 'state them in the manifest, e.g. bounds: [0, 255]');
  if (bounds === 'unbounded') return;
  const ends = [bounds.lower, bounds.upper].map((e) => (typeof e === 'number' ? [e] : e));
  const channels = shape[sampleAxis({ layout }, 'C')];
  for (const end of ends) {
    if (end.length > 1 && end.length !== channels)
      refuse(
        `has bounds for ${end.length} channels and ${channels ?? 'no'} channels`,
        'state one bound, or one per channel of axis C',
      );
  }
  const [lower, upper] = ends as [readonly number[], readonly number[]];
  for (let c = 0; c < Math.max(lower.length, upper.length); c++) {
    const [low, high] = [lower[lower.length === 1 ? 0 : c]!, upper[upper.length === 1 ? 0 : c]!];
    if (!(low < high)) refuse(`has bounds ${low}..${high}`, 'the lower bound must be below the upper one');
  }
}
