import { intOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import { axisOf, type F64, f64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex } from './windows.ts';

const list = (t: F64 | undefined): number[] | undefined => (t === undefined ? undefined : Array.from(t.data));
const at = (t: F64, index: readonly number[]): number => t.data[offsetOf(t.dims, index)]!;
const replaced = (index: readonly number[], axis: number, value: number): number[] =>
  index.map((v, i) => (i === axis ? value : v));
const wrapped = (i: number, size: number): number => (i < 0 ? i + size : i);

function slice([x, starts, ends, axes, steps]: readonly (F64 | undefined)[]): F64 {
  const ranges = x!.dims.map((size) => ({ start: 0, step: 1, count: size }));
  const named = list(axes) ?? Array.from(starts!.data, (_, i) => i);
  for (const [i, given] of named.entries()) {
    const axis = axisOf(given, x!.dims.length);
    const size = x!.dims[axis]!;
    const step = steps?.data[i] ?? 1;
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamped = (v: number): number => Math.min(Math.max(wrapped(v, size), low), high);
    const start = step > 0 ? clamped(starts!.data[i]!) : Math.max(0, clamped(starts!.data[i]!));
    ranges[axis] = { start, step, count: Math.max(0, Math.ceil((clamped(ends!.data[i]!) - start) / step)) };
  }
  return filledBy(
    ranges.map((r) => r.count),
    (index) =>
      at(
        x!,
        index.map((v, i) => ranges[i]!.start + v * ranges[i]!.step),
      ),
  );
}

function gather(x: F64, indices: F64, node: Node): F64 {
  const axis = axisOf(intOf(node, 'axis', 0), x.dims.length);
  const rank = indices.dims.length;
  return filledBy([...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)], (index) => {
    const picked = wrapped(at(indices, index.slice(axis, axis + rank)), x.dims[axis]!);
    return at(x, [...index.slice(0, axis), picked, ...index.slice(axis + rank)]);
  });
}

function gatherND(x: F64, indices: F64, node: Node): F64 {
  const batch = intOf(node, 'batch_dims', 0);
  const width = indices.dims.at(-1)!;
  const outer = indices.dims.slice(0, -1);
  return filledBy([...outer, ...x.dims.slice(batch + width)], (index) => {
    const head = index.slice(0, outer.length);
    const tuple = Array.from({ length: width }, (_, i) => wrapped(at(indices, [...head, i]), x.dims[batch + i]!));
    return at(x, [...index.slice(0, batch), ...tuple, ...index.slice(outer.length)]);
  });
}

function pad([x, pads, value, axes]: readonly (F64 | undefined)[], node: Node): F64 {
  const mode = stringOf(node, 'mode', 'constant');
  const before = x!.dims.map(() => 0);
  const after = [...before];
  const named = list(axes)?.map((a) => axisOf(a, x!.dims.length)) ?? x!.dims.map((_, i) => i);
  for (const [i, axis] of named.entries()) [before[axis], after[axis]] = [pads!.data[i]!, pads!.data[i + named.length]!];
  // negative pads crop, and what is left is what the other modes repeat
  const first = before.map((p) => Math.max(0, -p));
  const left = x!.dims.map((size, i) => size - first[i]! - Math.max(0, -after[i]!));
  return filledBy(
    x!.dims.map((size, i) => size + before[i]! + after[i]!),
    (index) => {
      const inside = index.map((v, i) => v - Math.max(0, before[i]!));
      if (mode === 'constant' && inside.some((v, i) => v < 0 || v >= left[i]!)) return value?.data[0] ?? 0;
      return at(
        x!,
        inside.map((v, i) => first[i]! + repeated(mode, v, left[i]!)),
      );
    },
  );
}

function repeated(mode: string, at: number, size: number): number {
  if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1);
  if (mode === 'wrap') return ((at % size) + size) % size;
  let position = at;
  while (position < 0 || position >= size) position = position < 0 ? -position : 2 * (size - 1) - position;
  return position;
}

const combine = (node: Node, old: number, update: number): number => {
  switch (stringOf(node, 'reduction', 'none')) {
    case 'add':
      return old + update;
    case 'mul':
      return old * update;
    case 'max':
      return Math.max(old, update);
    case 'min':
      return Math.min(old, update);
    default:
      return update;
  }
};

export const indexing: Kernels = {
  Slice: (inputs) => [slice(inputs)],
  Gather: ([x, indices], node) => [gather(x!, indices!, node)],
  GatherND: ([x, indices], node) => [gatherND(x!, indices!, node)],
  GatherElements([x, indices], node) {
    const axis = axisOf(intOf(node, 'axis', 0), x!.dims.length);
    return [filledBy(indices!.dims, (index) => at(x!, replaced(index, axis, wrapped(at(indices!, index), x!.dims[axis]!))))];
  },
  Pad: (inputs, node) => [pad(inputs, node)],

  ScatterElements([x, indices, updates], node) {
    const axis = axisOf(intOf(node, 'axis', 0), x!.dims.length);
    const y = f64(x!.dims, x!.data.slice());
    everyIndex(indices!.dims, (index) => {
      const to = offsetOf(y.dims, replaced(index, axis, wrapped(at(indices!, index), y.dims[axis]!)));
      y.data[to] = combine(node, y.data[to]!, at(updates!, index));
    });
    return [y];
  },

  ScatterND([x, indices, updates], node) {
    const width = indices!.dims.at(-1)!;
    const y = f64(x!.dims, x!.data.slice());
    const block = sizeOf(x!.dims.slice(width));
    everyIndex(indices!.dims.slice(0, -1), (head) => {
      const tuple = Array.from({ length: width }, (_, i) => wrapped(at(indices!, [...head, i]), x!.dims[i]!));
      const [to, from] = [offsetOf(x!.dims.slice(0, width), tuple) * block, offsetOf(indices!.dims.slice(0, -1), head) * block];
      for (let i = 0; i < block; i++) y.data[to + i] = combine(node, y.data[to + i]!, updates!.data[from + i]!);
    });
    return [y];
  },

  TopK([x, k], node) {
    const axis = axisOf(intOf(node, 'axis', -1), x!.dims.length);
    const sign = intOf(node, 'largest', 1) === 1 ? 1 : -1;
    const ranked = (index: readonly number[]): number => {
      const values = Array.from({ length: x!.dims[axis]! }, (_, i) => at(x!, replaced(index, axis, i)));
      return values.map((_, i) => i).sort((a, b) => sign * (values[b]! - values[a]!) || a - b)[index[axis]!]!;
    };
    const dims = replaced(x!.dims, axis, k!.data[0]!);
    return [filledBy(dims, (index) => at(x!, replaced(index, axis, ranked(index)))), filledBy(dims, ranked)];
  },

  Trilu([x, k], node) {
    const [diagonal, upper] = [k?.data[0] ?? 0, intOf(node, 'upper', 1) === 1];
    return [
      filledBy(x!.dims, (index) => {
        const distance = index.at(-1)! - index.at(-2)!;
        return (upper ? distance >= diagonal : distance <= diagonal) ? at(x!, index) : 0;
      }),
    ];
  },
};
