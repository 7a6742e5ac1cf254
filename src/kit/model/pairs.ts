/** @file Whether a batch of 1 is rounded differently from the same sample among others, because the runtime takes another kernel for it. */
import { type Graph, intOf, type Node, producersOf, readsOf } from '../../core/onnx/graph.ts';
import { hasBody } from '../../core/onnx/passes/rewrite.ts';
import type { ShapeTable } from '../../core/onnx/passes/shapes.ts';
import { numbersOf } from '../../core/tensor/tensor.ts';

/** Reductions whose result depends on the order of summation. */
const sums = new Set([
  'ReduceSum',
  'ReduceMean',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSum',
  'ReduceLogSumExp',
]);

/**
 * Whether a batch of 1 must be padded to 2 for results that do not depend on the batch. Measured on the runtime's CPU kernels, these cases:
 * - a matrix product whose right-hand side is neither a constant nor made from the batch (weights that are fed or computed): a single row goes through
 *   the matrix-vector kernel;
 * - a sum over axes that are not the last ones: with a leading axis of 1 the sum runs in another order. Where the rank is not known, it is assumed so;
 * - whatever lies inside an If, Loop or Scan, which is not looked into;
 * - the plain recurrent node RNN (not LSTM, not GRU), whose steps go through the matrix-vector kernel for a single row.
 */
export function needsPairs(graph: Graph, batched: readonly string[], shapes: ShapeTable = new Map()): boolean {
  const fromBatch = new Set(batched);
  for (const node of graph.nodes)
    if (readsOf(node).some((name) => fromBatch.has(name))) for (const output of node.outputs) fromBatch.add(output);
  const producers = producersOf(graph);
  const ranks = ranksOf(graph, shapes);
  const isFedOrComputed = (name: string): boolean => producers.has(name) || graph.inputs.some((v) => v.name === name);
  return graph.nodes.some((node) => {
    if (node.domain !== '' || !readsOf(node).some((name) => fromBatch.has(name))) return false;
    if (hasBody(node)) return true;
    if (node.op === 'RNN') return true;
    const right = node.inputs[1]!;
    if (node.op === 'MatMul' || node.op === 'Gemm')
      return !graph.initializers.has(right) && !fromBatch.has(right) && isFedOrComputed(right);
    return sums.has(node.op) && !sumsOverLast(graph, node, ranks);
  });
}

function sumsOverLast(graph: Graph, node: Node, ranks: ReadonlyMap<string, number>): boolean {
  const axes = graph.initializers.get(node.inputs[1] ?? '');
  if (axes === undefined) return false;
  const rank = ranks.get(node.inputs[0]!);
  const fromEnd = numbersOf(axes).map((axis) => (axis < 0 ? -axis : rank === undefined ? Number.POSITIVE_INFINITY : rank - axis));
  return Math.max(...fromEnd) === fromEnd.length;
}

/** Operations whose output has as many axes as the input that has most: what backward passes are mostly made of. */
const keepRank = new Set(
  'Add Sub Mul Div Sum Max Min Neg Exp Log Sqrt Sign Tanh Relu Sigmoid HardSigmoid Clip Where Cast Identity Conv ConvTranspose Transpose Pad Slice Concat'.split(
    ' ',
  ),
);

/** Number of axes of every value for which shapes are known or a short look at its node tells. */
function ranksOf(graph: Graph, shapes: ShapeTable): Map<string, number> {
  const ranks = new Map<string, number>();
  const lengths = new Map<string, number>();
  for (const [name, t] of graph.initializers) ranks.set(name, t.dims.length);
  for (const [name, { dims }] of shapes) ranks.set(name, dims.length);
  for (const node of graph.nodes) {
    if (node.domain !== '' || ranks.has(node.outputs[0]!)) continue;
    const of = node.inputs.filter((name) => name !== '').map((name) => ranks.get(name));
    const target = lengths.get(node.inputs[1] ?? '') ?? graph.initializers.get(node.inputs[1] ?? '')?.data.length;
    if (node.op === 'Shape' && node.attributes.size === 0 && of[0] !== undefined) lengths.set(node.outputs[0]!, of[0]);
    else if (node.op === 'Reshape' && target !== undefined) ranks.set(node.outputs[0]!, target);
    else if (node.op === 'Expand' && target !== undefined) ranks.set(node.outputs[0]!, Math.max(target, of[0] ?? 0));
    else if (sums.has(node.op) && intOf(node, 'keepdims', 1) === 1 && of[0] !== undefined) ranks.set(node.outputs[0]!, of[0]);
    else if (keepRank.has(node.op) && of.every((rank) => rank !== undefined)) ranks.set(node.outputs[0]!, Math.max(...of));
  }
  return ranks;
}
