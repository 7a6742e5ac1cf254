/** @file A scale and shift per output channel, moved into the constant weights of the op before it; in float64, rounded once. */
import { type NumericDType, numbersOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import { floatOf, type Graph, intOf, type Node } from '../graph.ts';
import { attributesWithout } from './rewrite.ts';

/** y = x * factor + offset, per channel. */
export interface Affine {
  readonly factor: readonly number[];
  readonly offset: readonly number[];
}

/** `first`, then `second`. */
export const compose = (first: Affine, second: Affine): Affine => ({
  factor: first.factor.map((f, c) => f * second.factor[c]!),
  offset: first.offset.map((o, c) => o * second.factor[c]! + second.offset[c]!),
});

export const isFloating = (value: Tensor | undefined): value is Tensor<'float32' | 'float64'> =>
  value?.dtype === 'float32' || value?.dtype === 'float64';

/** A float32 or float64 tensor of numbers. */
export const ofDtype = (dtype: NumericDType, dims: readonly number[], values: ArrayLike<number>): Tensor =>
  dtype === 'float64' ? tensor('float64', dims, Float64Array.from(values)) : tensor('float32', dims, Float32Array.from(values));

/**
 * The Conv, ConvTranspose, Gemm or MatMul (of rank 2) with the affine map in its weights and bias, or undefined where it is another op or its weights
 * are not constants. `store` names a new constant; `rank` is that of the op's output.
 */
export function scaleWeights(
  graph: Graph,
  node: Node,
  affine: Affine,
  rank: number,
  store: (value: Tensor) => string,
): Node | undefined {
  const weight = graph.initializers.get(node.inputs[1] ?? '');
  const bias = biasOf(graph, node.inputs[2], affine.factor.length);
  const channel = isFloating(weight) && node.domain === '' ? outputChannel(node, weight, rank) : undefined;
  if (!isFloating(weight) || bias === undefined || channel === undefined) return undefined;
  const beta = node.op === 'Gemm' ? floatOf(node, 'beta', 1) : 1;
  const shifted = affine.factor.map((f, c) => (bias.length === 1 ? bias[0]! : (bias[c] ?? 0)) * beta * f + affine.offset[c]!);
  const inputs = [
    node.inputs[0]!,
    store(scaled(weight, affine.factor, channel)),
    store(ofDtype(weight.dtype, [shifted.length], shifted)),
  ];
  return node.op === 'MatMul'
    ? { ...node, op: 'Gemm', inputs, attributes: new Map() }
    : { ...node, inputs, attributes: attributesWithout(node, 'beta') };
}

/** Output channel of weight element i; undefined for ops without one. */
function outputChannel(node: Node, weight: Tensor, rank: number): ((i: number) => number) | undefined {
  const columns = weight.dims.at(-1)!;
  switch (node.op) {
    case 'Conv': {
      const perChannel = weight.data.length / weight.dims[0]!;
      return (i) => Math.floor(i / perChannel);
    }
    case 'ConvTranspose': {
      // weights [Cin, Cout / group, ...]: the output channel counts on through the groups
      const [cin, cout] = weight.dims as readonly [number, number];
      const taps = weight.data.length / (cin * cout);
      const perGroup = cin / intOf(node, 'group', 1);
      return (i) => Math.floor(Math.floor(i / (taps * cout)) / perGroup) * cout + (Math.floor(i / taps) % cout);
    }
    case 'Gemm':
      return intOf(node, 'transB', 0) === 1 ? (i) => Math.floor(i / columns) : (i) => i % columns;
    case 'MatMul':
      return rank === 2 && weight.dims.length === 2 ? (i) => i % columns : undefined;
    default:
      return undefined;
  }
}

/** The constant bias: empty for none; undefined where it is computed, or neither one row nor one value. */
function biasOf(graph: Graph, name: string | undefined, channels: number): number[] | undefined {
  if (name === undefined || name === '') return [];
  const value = graph.initializers.get(name);
  const oneRow =
    isFloating(value) && (value.data.length === 1 || (value.dims.at(-1) === channels && value.data.length === channels));
  return oneRow ? numbersOf(value) : undefined;
}

function scaled(weight: Tensor<'float32' | 'float64'>, factor: readonly number[], channel: (i: number) => number): Tensor {
  const data = new Float64Array(weight.data.length);
  for (let i = 0; i < data.length; i++) data[i] = weight.data[i]! * factor[channel(i)]!;
  return ofDtype(weight.dtype, weight.dims, data);
}
