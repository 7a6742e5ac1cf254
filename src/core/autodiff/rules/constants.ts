/** @file Constants computed from weights while the gradient is written, one per weight however many nodes share it. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import { sizeOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import type { Scene } from '../rule.ts';

const made = new WeakMap<GraphBuilder, Map<string, string>>();

/** What `make` gave for this key in this graph. */
export function once(g: GraphBuilder, key: string, make: () => string): string {
  const known = made.get(g) ?? new Map<string, string>();
  made.set(g, known);
  const name = known.get(key) ?? make();
  known.set(key, name);
  return name;
}

/** The derived value of `weight`: computed now by `now` when the weight is constant, otherwise written as nodes by `later`. */
export const derived = (
  { g, constant }: Scene,
  weight: string,
  key: string,
  now: (value: FloatTensor) => Tensor,
  later: () => string,
): string => {
  const value = constant(weight);
  if (!isFloat(value)) return later();
  return once(g, `${key} ${weight}`, () => g.constant(now(value), g.fresh(`${weight}_${key}`)));
};

export type FloatTensor = Tensor<'float32' | 'float64'>;

const isFloat = (value: Tensor | undefined): value is FloatTensor => value?.dtype === 'float32' || value?.dtype === 'float64';

/** A tensor of the dtype of `like`, each element taken from the element of `like` at the position `source` gives. */
export function rearranged(like: FloatTensor, dims: readonly number[], source: (index: number) => number): FloatTensor {
  const size = sizeOf(dims);
  const data = like.dtype === 'float32' ? new Float32Array(size) : new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = like.data[source(i)]!;
  return { dtype: like.dtype, dims, data } as FloatTensor;
}

/** A float constant of the given dtype. */
export const floatConstant = (
  g: GraphBuilder,
  values: Float64Array,
  dims: readonly number[],
  dtype: 'float32' | 'float64',
): string =>
  g.constant(dtype === 'float32' ? tensor('float32', dims, Float32Array.from(values)) : tensor('float64', dims, values));
