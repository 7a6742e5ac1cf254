/** @file Cutting tensors along their batch axis and putting them together again. */
import { sizeOf, type Tensor, type TensorData } from '../../../tensor/tensor.ts';

/** `count` equal parts along `axis`, in order. */
export function splitRows(value: Tensor, axis: number, count: number): Tensor[] {
  const part = value.dims[axis]! / count;
  if (!Number.isInteger(part)) throw new Error(`axis ${axis} of [${value.dims}] does not hold ${count} rows`);
  const dims = value.dims.map((d, i) => (i === axis ? part : d));
  const inner = sizeOf(value.dims.slice(axis + 1)) * part;
  const outer = sizeOf(value.dims.slice(0, axis));
  return Array.from({ length: count }, (_, row) => {
    const pieces = Array.from({ length: outer }, (_, o) => {
      const start = (o * count + row) * inner;
      return value.data.slice(start, start + inner);
    });
    return { dtype: value.dtype, dims, data: joined(value, pieces) } as unknown as Tensor;
  });
}

/** Rows put together along `axis`. */
export function joinRows(rows: readonly Tensor[], axis: number): Tensor {
  const [first] = rows as readonly [Tensor];
  const inner = sizeOf(first.dims.slice(axis));
  const outer = sizeOf(first.dims.slice(0, axis));
  const pieces = Array.from({ length: outer }, (_, o) => rows.map((row) => row.data.slice(o * inner, (o + 1) * inner))).flat();
  const dims = first.dims.map((d, i) => (i === axis ? d * rows.length : d));
  return { dtype: first.dtype, dims, data: joined(first, pieces) } as unknown as Tensor;
}

function joined(like: Tensor, pieces: readonly TensorData[]): TensorData {
  if (like.dtype === 'string') return pieces.flatMap((p) => p as string[]);
  const length = pieces.reduce((n, p) => n + p.length, 0);
  const data = new (like.data.constructor as Float32ArrayConstructor)(length);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece as Float32Array, at);
    at += piece.length;
  }
  return data;
}
