import { intOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { type F64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex } from './windows.ts';

const clamp = (v: number, size: number): number => Math.min(Math.max(v, 0), size - 1);

/** The place between the ends that `v` is thrown back to. */
function thrownBack(v: number, size: number, align: boolean): number {
  const [low, high] = align ? [0, size - 1] : [-0.5, size - 0.5];
  if (low === high) return low;
  let place = v;
  while (place < low || place > high) place = place < low ? 2 * low - place : 2 * high - place;
  return clamp(place, size);
}

const inside = (padding: string, v: number, size: number, align: boolean): number =>
  padding === 'border' ? clamp(v, size) : padding === 'reflection' ? thrownBack(v, size, align) : v;

/** Half to the even neighbour. */
function round(v: number): number {
  const low = Math.floor(v);
  if (v - low !== 0.5) return Math.round(v);
  return low % 2 === 0 ? low : low + 1;
}

/** The cubic convolution kernel at a distance. */
function cubic(d: number): number {
  const [a, x] = [-0.75, Math.abs(d)];
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** Pixels one coordinate reads, with their weights; those outside count as zero. */
function taps(u: number, size: number, node: Node): { at: number; weight: number }[] {
  const align = intOf(node, 'align_corners', 0) === 1;
  const padding = stringOf(node, 'padding_mode', 'zeros');
  const raw = align ? ((u + 1) * (size - 1)) / 2 : ((u + 1) * size - 1) / 2;
  const mode = stringOf(node, 'mode', 'linear').replace(/^bi/, '');
  const place = mode === 'cubic' ? raw : inside(padding, raw, size, align);
  const low = Math.floor(place);
  const read =
    mode === 'nearest'
      ? [{ at: round(place), weight: 1 }]
      : mode === 'cubic'
        ? [-1, 0, 1, 2].map((k) => ({ at: inside(padding, low + k, size, align), weight: cubic(place - low - k) }))
        : [0, 1].map((k) => ({ at: low + k, weight: 1 - Math.abs(place - low - k) }));
  return read.filter(({ at }) => at >= 0 && at < size);
}

export const sampling: Kernels = {
  GridSample([x, grid], node) {
    const [batch, channels, ...space] = x!.dims as [number, number, ...number[]];
    const rank = space.length;
    return [
      filledBy([batch, channels, ...grid!.dims.slice(1, -1)], ([n, c, ...p]) => {
        const lists = space.map((size, axis) => taps(grid!.data[offsetOf(grid!.dims, [n!, ...p, rank - 1 - axis])]!, size, node));
        let sum = 0;
        everyIndex(
          lists.map((l) => l.length),
          (choice) => {
            const chosen = choice.map((i, axis) => lists[axis]![i]!);
            const weight = chosen.reduce((w, t) => w * t.weight, 1);
            sum += weight * x!.data[offsetOf(x!.dims, [n!, c!, ...chosen.map((t) => t.at)])]!;
          },
        );
        return sum;
      }),
    ];
  },

  AffineGrid([theta, size], node) {
    const space = Array.from(size!.data).slice(2);
    const align = intOf(node, 'align_corners', 0) === 1;
    const place = (i: number, n: number): number => (align ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1);
    return [
      filledBy([theta!.dims[0]!, ...space, space.length], (index) => {
        const [n, k] = [index[0]!, index.at(-1)!];
        const point = index.slice(1, -1).map((i, axis) => place(i, space[axis]!));
        const at = (column: number): number => theta!.data[offsetOf(theta!.dims, [n, k, column])]!;
        return [...point].reverse().reduce((sum, v, column) => sum + at(column) * v, at(space.length));
      }) satisfies F64,
    ];
  },
};
