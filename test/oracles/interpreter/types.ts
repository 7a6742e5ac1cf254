/** @file What the float64 reference interpreter computes with. */
import type { Graph, Node } from '../../../src/core/onnx/graph.ts';
import { numbersOf, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

/** A row-major tensor; integers and booleans are held as float64 too. */
export interface F64 {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** Every value of a body, given those of its own inputs; what it captures is seen where it stands. */
export type Run = (body: Graph, feeds: Readonly<Record<string, F64>>) => ReadonlyMap<string, F64>;

/** An operation: inputs (undefined where an optional one is left out) to outputs, straight from the ONNX definition. */
export type Kernel = (inputs: readonly (F64 | undefined)[], node: Node, run: Run) => readonly F64[];

export type Kernels = Readonly<Record<string, Kernel>>;

export function f64(dims: readonly number[], data: ArrayLike<number>): F64 {
  if (data.length !== sizeOf(dims)) throw new Error(`[${dims}] needs ${sizeOf(dims)} values, got ${data.length}`);
  return { dims, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export const fromTensor = (t: Tensor): F64 => f64(t.dims, numbersOf(t));

/** The tensor of `dims` whose element at each index is `value(index)`; the index array is reused between calls. */
export function filledBy(dims: readonly number[], value: (index: readonly number[]) => number): F64 {
  const data = new Float64Array(sizeOf(dims));
  const index = dims.map(() => 0);
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = value(index);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
  return { dims, data };
}

/** Elements to step per axis. */
export const stridesOf = (dims: readonly number[]): number[] => dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));

/** Flat position of an index. */
export const offsetOf = (dims: readonly number[], index: readonly number[]): number =>
  index.reduce((flat, i, axis) => flat * dims[axis]! + i, 0);

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The shape several shapes broadcast to. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, shape) => {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (size !== 1 && dim !== 1 && size !== dim)
        throw new Error(`${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
      return size === 1 ? dim : size;
    }, 1),
  );
}

/** The element of `t` that lies at `index` of a shape `t` is broadcast to. */
export function broadcastAt(t: F64, index: readonly number[]): number {
  const lead = index.length - t.dims.length;
  let flat = 0;
  for (let axis = 0; axis < t.dims.length; axis++) flat = flat * t.dims[axis]! + (t.dims[axis] === 1 ? 0 : index[axis + lead]!);
  return t.data[flat]!;
}
