/**
 * @file BatchNormalization with fixed statistics is one multiplication and one addition per channel, and so are the Mul and Add that some exporters
 * write after it: a chain of them is one affine map, and belongs in the weights before it where they are constants.
 */
import { type NumericDType, numbersOf, type Tensor } from '../../tensor/tensor.ts';
import { type GraphBuilder, graphBuilder } from '../builder.ts';
import { consumersOf, floatOf, type Graph, intOf, type Node, producersOf } from '../graph.ts';
import { dropDead } from './drop-dead.ts';
import { namesOf } from './rewrite.ts';
import { type Affine, compose, isFloating, ofDtype, scaleWeights } from './scale-weights.ts';
import type { ShapeTable } from './shapes.ts';

/** Affine nodes one after the other, each the only reader of the one before. */
interface Chain {
  /** What goes in. */
  readonly from: string;
  readonly affine: Affine;
  readonly nodes: readonly Node[];
}

/**
 * Folds BatchNormalization (inference), with the Mul, Div, Add and Sub by constants per channel around it, into a preceding Conv, ConvTranspose, Gemm or
 * MatMul that nothing else reads and whose weights are constants; elsewhere it becomes Mul and Add. Without a BatchNormalization such constants move
 * into a Conv, ConvTranspose or Gemm all the same. In training mode, with computed statistics, or in float16 a node is left as it is.
 * `shapes` (passes/shapes.ts) gives the rank and channels of each value.
 */
export function foldBatchNorm(graph: Graph, shapes: ShapeTable): Graph {
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken: namesOf(graph) });
  const producers = producersOf(graph);
  const replaced = new Map<Node, (g: GraphBuilder) => void>();
  const drop = (): void => {};
  const isOwn = soleReading(graph);
  for (const chain of chainsOf(graph, shapes, isOwn)) {
    const last = chain.nodes.at(-1)!;
    const before = isOwn(chain.from) ? producers.get(chain.from) : undefined;
    const rank = shapes.get(chain.from)!.dims.length;
    const hasNorm = chain.nodes.some(isNorm);
    const worth = before !== undefined && (hasNorm || before.op !== 'MatMul');
    const folded = worth
      ? scaleWeights(graph, before, chain.affine, rank, (value) => g.constant(value, g.fresh('folded')))
      : undefined;
    if (folded === undefined && !hasNorm) continue;
    for (const node of chain.nodes) replaced.set(node, drop);
    if (folded !== undefined) replaced.set(before!, drop);
    replaced.set(last, (to) =>
      folded === undefined ? writeAffine(to, last, chain, shapes) : to.add({ ...folded, outputs: [last.outputs[0]!] }),
    );
  }
  for (const node of graph.nodes) (replaced.get(node) ?? ((to: GraphBuilder) => to.add(node)))(g);
  return dropDead(g.build());
}

/** Whether a value is read by one node, once, and by nothing else: no output, no body. */
function soleReading(graph: Graph): (name: string) => boolean {
  const consumers = consumersOf(graph);
  const shown = new Set(graph.outputs.map((v) => v.name));
  return (name) => {
    const readers = consumers.get(name) ?? [];
    return readers.length === 1 && !shown.has(name) && readers[0]!.inputs.filter((i) => i === name).length === 1;
  };
}

function chainsOf(graph: Graph, shapes: ShapeTable, isOwn: (name: string) => boolean): Chain[] {
  const open = new Map<string, Chain>();
  for (const node of graph.nodes) {
    const step = affineOf(graph, node, shapes);
    if (step === undefined) continue;
    const before = isOwn(step.from) ? open.get(step.from) : undefined;
    if (before !== undefined) open.delete(step.from);
    open.set(
      node.outputs[0]!,
      before === undefined
        ? { ...step, nodes: [node] }
        : { from: before.from, affine: compose(before.affine, step.affine), nodes: [...before.nodes, node] },
    );
  }
  return [...open.values()];
}

const isNorm = (node: Node): boolean => node.op === 'BatchNormalization';

/** The affine map a node is, and the value it is applied to. */
function affineOf(graph: Graph, node: Node, shapes: ShapeTable): { affine: Affine; from: string } | undefined {
  if (node.domain !== '') return undefined;
  if (isNorm(node)) return normOf(graph, node);
  const at = node.inputs.findIndex((name) => graph.initializers.has(name));
  const from = node.inputs[1 - at];
  if (!['Mul', 'Div', 'Add', 'Sub'].includes(node.op) || at < 0 || from === undefined) return undefined;
  if (node.op === 'Div' && at === 0) return undefined;
  const [x, y] = [shapes.get(from)?.dims, shapes.get(node.outputs[0]!)?.dims];
  const channels = x?.[1];
  const perChannel = x?.length === y?.length && typeof channels === 'number' && channels === y?.[1];
  const values = perChannel ? channelValues(graph.initializers.get(node.inputs[at]!), channels, x!.length) : undefined;
  if (values === undefined) return undefined;
  const constant = (value: number): number[] => new Array<number>(channels as number).fill(value);
  switch (node.op) {
    case 'Mul':
      return { from, affine: { factor: values, offset: constant(0) } };
    case 'Div':
      return { from, affine: { factor: values.map((v) => 1 / v), offset: constant(0) } };
    case 'Add':
      return { from, affine: { factor: constant(1), offset: values } };
    default:
      return at === 1
        ? { from, affine: { factor: constant(1), offset: values.map((v) => -v) } }
        : { from, affine: { factor: constant(-1), offset: values } };
  }
}

/** A constant broadcast along every axis but the channels (axis 1 of `rank`), one number per channel. */
function channelValues(value: Tensor | undefined, channels: number, rank: number): number[] | undefined {
  if (!isFloating(value) || value.dims.length > rank) return undefined;
  if (value.data.length === 1) return new Array<number>(channels).fill(value.data[0]!);
  const axis = 1 - (rank - value.dims.length);
  return value.data.length === channels && value.dims[axis] === channels ? numbersOf(value) : undefined;
}

function normOf(graph: Graph, node: Node): { affine: Affine; from: string } | undefined {
  if (intOf(node, 'training_mode', 0) !== 0) return undefined;
  const constants = node.inputs.slice(1, 5).map((name) => graph.initializers.get(name));
  if (!constants.every(isFloating)) return undefined;
  const [scale, bias, mean, variance] = constants.map(numbersOf) as [number[], number[], number[], number[]];
  const eps = floatOf(node, 'epsilon', 1e-5);
  const factor = scale.map((s, c) => s / Math.sqrt(variance[c]! + eps));
  return { from: node.inputs[0]!, affine: { factor, offset: bias.map((b, c) => b - mean[c]! * factor[c]!) } };
}

function writeAffine(g: GraphBuilder, last: Node, { from, affine }: Chain, shapes: ShapeTable): void {
  const { dtype, dims } = shapes.get(from)!;
  const perChannel = [affine.factor.length, ...new Array<number>(Math.max(0, dims.length - 2)).fill(1)];
  const constant = (values: readonly number[]) =>
    g.constant(ofDtype(dtype as NumericDType, perChannel, values), g.fresh('folded'));
  g.ops('Add', [g.op('Mul', [from, constant(affine.factor)]), constant(affine.offset)], [last.outputs[0]!]);
}
