/** @file Nodes that draw random numbers become functions of inputs that hold standard draws: what a model computes is then decided by what it is fed. */
import { numbersOf } from '../../tensor/tensor.ts';
import { attributes, type GraphBuilder } from '../builder.ts';
import { elementType } from '../dtypes.ts';
import { type Dim, describeNode, floatOf, type Graph, intOf, type Node, nodeName } from '../graph.ts';
import { rewrite, someNode } from './rewrite.ts';
import { type Execute, outerShapes, probeFeeds, type ShapeEntry, type ShapeTable } from './shapes.ts';

/** What an input made here holds: numbers from N(0, 1), or from U[0, 1). */
export type RandomKind = 'normal' | 'uniform';

export interface RandomInput {
  readonly name: string;
  readonly kind: RandomKind;
  /** Sizes of the input; null is the batch, in which every sample has draws of its own. Without one, a run has one draw. */
  readonly dims: readonly (number | null)[];
  /** The node of the file that drew, as messages name it. */
  readonly node: string;
}

export interface RandomInputs {
  readonly graph: Graph;
  readonly randoms: readonly RandomInput[];
  /** Nodes that still draw by themselves, each with the reason. */
  readonly left: readonly string[];
}

/**
 * Lowers RandomNormal, RandomNormalLike, RandomUniform, RandomUniformLike, Bernoulli, Multinomial and Dropout in training mode. Bernoulli(p) becomes
 * Ceil(p - u), so that a straight-through surrogate of that node is the derivative of p; Multinomial takes the largest logit plus Gumbel noise.
 * Seeds in the file are not kept. `batch` is the size of the batch axis as the graph's inputs write it: where it is a number, the first axis of that size is
 * taken to be that of the samples. A node inside a body of If, Loop or Scan is left as it is: its number of draws is not known beforehand.
 */
export async function randomInputs(graph: Graph, execute: Execute, batch: Dim): Promise<RandomInputs> {
  if (!someNode(graph, (node) => draws(node, graph))) return { graph, randoms: [], left: [] };
  const shapes = await outerShapes(graph, execute);
  const merged = await mergedSizes(graph, shapes, execute);
  const randoms: RandomInput[] = [];
  const left: string[] = [];
  const lowered = rewrite(graph, (node, g, within) => {
    if (!draws(node, graph)) return false;
    const leave = (why: string): false => {
      left.push(`${describeNode(node)}: ${why}`);
      return false;
    };
    if (within !== graph) return leave('it lies in the body of an If, Loop or Scan');
    if (node.op === 'Dropout' && !isTraining(node, graph)) return leave('its training mode is not a constant');
    const entry = shapes.get(drawnLike(node));
    if (entry === undefined) return leave('its shape is not known');
    const wanted = node.op === 'Multinomial' ? multinomialDims(node, entry, batch) : batchedDims(entry, batch);
    const dims = wanted ?? merged.get(drawnLike(node));
    if (dims === undefined) return leave('its size changes with the batch in a way that cannot be split among samples');
    const kind: RandomKind = node.op.startsWith('RandomNormal') ? 'normal' : 'uniform';
    const name = g.fresh(`random_${nodeName(node)}`);
    g.input(
      name,
      dims.map((d) => d ?? batch),
    );
    randoms.push({ name, kind, dims, node: describeNode(node) });
    const draw = wanted === undefined ? g.op('Reshape', [name, g.op('Shape', [drawnLike(node)])]) : name;
    write(node, g, draw, entry);
    return true;
  });
  return { graph: lowered, randoms, left };
}

const drawing = new Set(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Bernoulli', 'Multinomial']);

/** Whether a node may draw random numbers when it runs. */
function draws(node: Node, graph: Graph): boolean {
  if (node.domain !== '') return false;
  return drawing.has(node.op) || (node.op === 'Dropout' && mayTrain(node, graph));
}

function mayTrain(node: Node, graph: Graph): boolean {
  const mode = node.inputs[2] ?? '';
  if (mode === '') return false;
  const value = graph.initializers.get(mode);
  return value === undefined || numbersOf(value)[0] !== 0;
}

const isTraining = (node: Node, graph: Graph): boolean => graph.initializers.has(node.inputs[2]!);

/** The value a node's draws have the shape of: its input where it has one, and its output otherwise (RandomNormal, RandomUniform). */
const drawnLike = (node: Node): string => node.inputs[0] ?? node.outputs[0]!;

/** Sizes with null at the batch; undefined where a size changes with the batch without being it. */
function batchedDims({ dims, batchAxes = [] }: ShapeEntry, batch: Dim): (number | null)[] | undefined {
  if (typeof batch === 'number') {
    const axis = dims.indexOf(batch);
    return dims.map((d, i) => (i === axis ? null : d));
  }
  const open = dims.flatMap((d, axis) => (d === null ? [axis] : []));
  return open.length > 1 || open.some((axis) => !batchAxes.includes(axis)) ? undefined : [...dims];
}

/** [N, draws, classes]. */
function multinomialDims(node: Node, entry: ShapeEntry, batch: Dim): (number | null)[] | undefined {
  const dims = batchedDims(entry, batch);
  return dims?.length === 2 ? [dims[0]!, intOf(node, 'sample_size', 1), dims[1]!] : undefined;
}

/** Values whose first axis is a multiple of the batch (samples times frames): the draws of a sample are a row that is cut to shape. */
async function mergedSizes(graph: Graph, shapes: ShapeTable, execute: Execute): Promise<Map<string, (number | null)[]>> {
  const names = graph.nodes.flatMap((node) => {
    if (!draws(node, graph) || node.op === 'Multinomial') return [];
    const { dims, batchAxes = [] } = shapes.get(drawnLike(node)) ?? { dims: [] };
    return dims[0] === null && batchAxes.length === 0 && dims.slice(1).every((d) => d !== null) ? [drawnLike(node)] : [];
  });
  if (names.length === 0) return new Map();
  const two = 2;
  const outputs = [...new Set(names)].map((name) => ({ name, dtype: shapes.get(name)!.dtype, dims: undefined }));
  const results = await execute({ ...graph, outputs }, probeFeeds(graph, two));
  return new Map(names.map((name) => [name, [null, results[name]!.data.length / two]]));
}

/** What writers of a node read beside it: its draws, its element type and that of what it is shaped like, and the last step, which takes the node's output. */
interface Site {
  readonly g: GraphBuilder;
  readonly node: Node;
  readonly draw: string;
  readonly own: number;
  /** Casts from one element type to another where they differ. */
  cast(value: string, from: number, to: number, output?: string): string;
}

const float32 = elementType('float32');

/** Writes what the node computes from its draws, under the names of its outputs. */
function write(node: Node, g: GraphBuilder, draw: string, { dtype }: ShapeEntry): void {
  const cast: Site['cast'] = (value, from, to, output) => {
    if (from !== to) return g.op('Cast', [value], { to }, output);
    return output === undefined ? value : g.op('Identity', [value], {}, output);
  };
  const site: Site = { g, node, draw, own: elementType(dtype), cast };
  if (node.op.startsWith('RandomNormal')) affine(site, floatOf(node, 'scale', 1), floatOf(node, 'mean', 0));
  else if (node.op.startsWith('RandomUniform')) {
    const low = floatOf(node, 'low', 0);
    affine(site, floatOf(node, 'high', 1) - low, low);
  } else if (node.op === 'Bernoulli') bernoulli(site);
  else if (node.op === 'Multinomial') multinomial(site);
  else dropout(site);
}

function affine({ g, node, draw, own, cast }: Site, scale: number, shift: number): void {
  const scaled = g.op('Add', [g.op('Mul', [draw, g.number(scale)]), g.number(shift)]);
  cast(scaled, float32, intOf(node, 'dtype', own), node.outputs[0]);
}

/** Ceil keeps the node's name, by which a surrogate may be stated. */
function bernoulli({ g, node, draw, own, cast }: Site): void {
  const to = intOf(node, 'dtype', own);
  const drawn = to === own ? node.outputs[0]! : g.fresh('Ceil');
  const inputs = [g.op('Sub', [node.inputs[0]!, cast(draw, float32, own)])];
  g.add({ op: 'Ceil', domain: '', name: node.name, inputs, outputs: [drawn], attributes: new Map() });
  if (to === own) return;
  g.add({
    op: 'Cast',
    domain: '',
    name: g.fresh('Cast'),
    inputs: [drawn],
    outputs: node.outputs,
    attributes: attributes({ to }),
  });
}

/** The largest of z - log(-log u) is class c with probability softmax(z)[c] (Gumbel 1954). */
function multinomial({ g, node, draw, own, cast }: Site): void {
  const gumbel = g.op('Neg', [g.op('Log', [g.op('Neg', [g.op('Log', [draw])])])]);
  const noisy = g.op('Add', [g.op('Unsqueeze', [cast(node.inputs[0]!, own, float32), g.ints([1])]), gumbel]);
  const drawn = g.op('ArgMax', [noisy], { axis: 2, keepdims: 0 });
  cast(drawn, elementType('int64'), intOf(node, 'dtype', elementType('int32')), node.outputs[0]);
}

function dropout({ g, node, draw, own, cast }: Site): void {
  const [x, ratio = ''] = node.inputs;
  const [output, mask = ''] = node.outputs;
  const rate = g.op('Cast', [ratio === '' ? g.number(0.5) : ratio], { to: float32 });
  const keep = g.op('GreaterOrEqual', [draw, rate], {}, mask === '' ? undefined : mask);
  const gain = g.op('Reciprocal', [g.op('Sub', [g.number(1), rate])]);
  const kept = g.op('Where', [keep, gain, g.number(0)]);
  g.op('Mul', [x!, cast(kept, float32, own)], {}, output);
}
