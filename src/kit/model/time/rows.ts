/** @file Samples picked out of tensors along any axis, and time steps out of samples. */
import { sizeOf, type Tensor, type TensorData, tensor } from '../../../core/tensor/tensor.ts';

/** Memory that is used again and again: fresh pages cost more than what is written to them. */
export interface Scratch {
  /** An array like another one; what it holds is arbitrary. */
  take<A extends TensorData>(like: A, length: number): A;
  /** Takes back everything that was handed out to this caller. */
  giveBack(arrays: readonly TensorData[]): void;
}

export function scratch(): Scratch {
  const free: ArrayBuffer[] = [];
  return {
    take<A extends TensorData>(like: A, length: number): A {
      const Type = like.constructor as unknown as {
        new (buffer: ArrayBuffer, at: number, length: number): A;
        BYTES_PER_ELEMENT: number;
      };
      const bytes = length * Type.BYTES_PER_ELEMENT;
      const fitting = free.findIndex((buffer) => buffer.byteLength >= bytes);
      const buffer = fitting < 0 ? new ArrayBuffer(bytes) : free.splice(fitting, 1)[0]!;
      return new Type(buffer, 0, length);
    },
    giveBack(arrays) {
      for (const array of arrays) free.push((array as Float32Array).buffer as ArrayBuffer);
      free.sort((a, b) => a.byteLength - b.byteLength);
    },
  };
}

/** The rows `picks` of a tensor along `axis`, in that order, written into `data`. */
export function pickRows(value: Tensor, axis: number, picks: readonly number[], data: TensorData): Tensor {
  const rows = value.dims[axis]!;
  const inner = sizeOf(value.dims.slice(axis + 1));
  const outer = sizeOf(value.dims.slice(0, axis));
  const dims = value.dims.map((d, k) => (k === axis ? picks.length : d));
  const [from, to] = [value.data as Float32Array, data as Float32Array];
  for (let o = 0; o < outer; o++)
    for (const [i, row] of picks.entries())
      to.set(from.subarray((o * rows + row) * inner, (o * rows + row + 1) * inner), (o * picks.length + i) * inner);
  return tensor(value.dtype, dims, data as never);
}

/** Steps `from` to before `to` along an axis of a sample; a view where they lie side by side. */
export function stepsOf(
  values: Float32Array,
  shape: readonly number[],
  axis: number,
  [from, to]: readonly [number, number],
): Float32Array {
  const steps = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  if (outer === 1) return values.subarray(from * inner, to * inner);
  const cut = new Float32Array(outer * (to - from) * inner);
  for (let o = 0; o < outer; o++)
    cut.set(values.subarray((o * steps + from) * inner, (o * steps + to) * inner), o * (to - from) * inner);
  return cut;
}

/** Samples side by side along the batch axis of an input, [.., N, ..], written into `data`. */
export function packRows(
  samples: readonly Float32Array[],
  shape: readonly number[],
  batchAxis: number,
  data: Float32Array,
): Tensor<'float32'> {
  const inner = sizeOf(shape.slice(batchAxis));
  const outer = sizeOf(shape.slice(0, batchAxis));
  for (const [n, sample] of samples.entries())
    for (let o = 0; o < outer; o++) data.set(sample.subarray(o * inner, (o + 1) * inner), (o * samples.length + n) * inner);
  return tensor('float32', [...shape.slice(0, batchAxis), samples.length, ...shape.slice(batchAxis)], data);
}
