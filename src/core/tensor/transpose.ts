/** @file Axes of a tensor in another order. */
import { sizeOf, type Tensor } from './tensor.ts';

/** Sizes after the axes were put into the order `perm`, as ONNX's Transpose counts: axis i of the result is axis perm[i] of what comes in. */
export const permuted = (dims: readonly number[], perm: readonly number[]): number[] => perm.map((axis) => dims[axis]!);

/** The order that undoes `perm`. */
export const inverseOf = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** A float32 tensor with its axes in the order `perm`, in an array of its own. */
export function transpose({ dims, data }: Tensor<'float32'>, perm: readonly number[]): Tensor<'float32'> {
  const out = permuted(dims, perm);
  const strides = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const steps = perm.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  const [inner, step] = [out.at(-1) ?? 1, steps.at(-1) ?? 0];
  const counters = new Array<number>(Math.max(out.length - 1, 0)).fill(0);
  let from = 0;
  for (let to = 0; to < result.length; ) {
    for (let i = 0, at = from; i < inner; i++, at += step) result[to++] = data[at]!;
    for (let axis = counters.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++counters[axis]! < out[axis]!) break;
      from -= steps[axis]! * out[axis]!;
      counters[axis] = 0;
    }
  }
  return { dtype: 'float32', dims: out, data: result };
}
