/**
 * @file Operations that are a linear map along each axis, one axis after the other: y = (W_1 x ... x W_k) x with W_a of [out, in] (average pooling,
 * resizing). Their derivative is the transposed matrix along each axis. The matrices are constants, since the sizes along those axes are known.
 */
import type { Scene } from '../rule.ts';
import { floatConstant } from './constants.ts';
import { type Size, sizesOf } from './sizes.ts';
import { pad } from './spread.ts';

/** One output position: the input positions it reads, and their weights. */
export type Taps = readonly { readonly at: number; readonly weight: number }[];

export interface AxisMap {
  readonly axis: number;
  /** Size of x along the axis. */
  readonly size: number;
  /** One list of taps per output position. */
  readonly rows: readonly Taps[];
  /** Where the taps are those of evenly spaced windows, and all taps of a window weigh the same (0 outside x). */
  readonly windows?: EvenWindows;
}

interface EvenWindows {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly weights: readonly number[];
}

/** Above so many entries (long waveforms) the map is not written as a matrix, but as a transposed convolution or as its taps. */
const largestMatrix = 2 ** 20;

/** dy times the transposed map, in the shape of x; `y` is the value dy belongs to. */
export function pullBack(scene: Scene, dy: string, y: string, x: string, maps: readonly AxisMap[]): string {
  if (maps.length === 0) return dy;
  const sizes: Size[] = sizesOf(scene, y);
  let value = dy;
  for (const map of [...maps].sort((a, b) => b.axis - a.axis)) {
    value = alongAxis(scene, value, sizes, map, scene.dtype(y) === 'float64' ? 'float64' : 'float32');
    sizes[map.axis] = map.size;
  }
  return scene.reshapeLike(value, x);
}

/** [.., out, ..] seen as [-1, out, rest] becomes [-1, in, rest]. */
function alongAxis(scene: Scene, value: string, sizes: readonly Size[], map: AxisMap, dtype: FloatType): string {
  const { g } = scene;
  const { axis, size, rows } = map;
  const rest = sizes.slice(axis + 1).reduce<number>((product, s) => {
    if (typeof s !== 'number') throw new Error(`axis ${axis} is followed by one whose size depends on the batch`);
    return product * s;
  }, 1);
  if (rows.length * size > largestMatrix) {
    // the runtime convolves in single precision only
    if (map.windows && dtype === 'float32') return unfolded(scene, value, map, map.windows, rest);
    return scattered(scene, value, map, rest, dtype);
  }
  const seen = g.op('Reshape', [value, g.ints(rest === 1 ? [-1, rows.length] : [-1, rows.length, rest])]);
  const matrix = new Float64Array(rows.length * size);
  const [stepOut, stepIn] = rest === 1 ? [size, 1] : [1, rows.length];
  for (const [o, taps] of rows.entries()) for (const { at, weight } of taps) matrix[o * stepOut + at * stepIn]! += weight;
  return rest === 1
    ? g.op('MatMul', [seen, floatConstant(g, matrix, [rows.length, size], dtype)])
    : g.op('MatMul', [floatConstant(g, matrix, [size, rows.length], dtype), seen]);
}

type FloatType = 'float32' | 'float64';

/** The weighted outputs laid over their windows: a transposed convolution with ones. */
function unfolded(scene: Scene, value: string, { size, rows }: AxisMap, w: EvenWindows, rest: number): string {
  const { g } = scene;
  const seen = g.op('Reshape', [value, g.ints([-1, 1, rows.length, rest])]);
  const scaled = g.op('Mul', [seen, floatConstant(g, Float64Array.from(w.weights), [rows.length, 1], 'float32')]);
  const ones = floatConstant(g, new Float64Array(w.kernel).fill(1), [1, 1, w.kernel, 1], 'float32');
  const whole = g.op('ConvTranspose', [scaled, ones], { strides: [w.stride, 1], dilations: [w.dilation, 1] });
  const length = w.stride * (rows.length - 1) + w.dilation * (w.kernel - 1) + 1;
  return pad(scene, whole, 4, [{ axis: 2, before: -w.padBegin, after: size + w.padBegin - length }]);
}

/** The same by adding each weighted output to the positions it was read from. */
function scattered({ g, number }: Scene, value: string, { size, rows }: AxisMap, rest: number, dtype: FloatType): string {
  const seen = g.op('Reshape', [value, g.ints([-1, rows.length, rest])]);
  const most = Math.max(...rows.map((taps) => taps.length));
  const updates: string[] = [];
  const positions: number[] = [];
  for (let t = 0; t < most; t++) {
    const weights = Float64Array.from(rows, (taps) => taps[t]?.weight ?? 0);
    positions.push(...rows.map((taps) => taps[t]?.at ?? 0));
    updates.push(g.op('Mul', [seen, floatConstant(g, weights, [rows.length, 1], dtype)]));
  }
  const all = updates.length === 1 ? updates[0]! : g.op('Concat', updates, { axis: 1 });
  const lead = g.op('Shape', [seen], { start: 0, end: 1 });
  const zeros = g.op('Expand', [number(0, dtype), g.op('Concat', [lead, g.ints([size, rest])], { axis: 0 })]);
  const column = g.op('Reshape', [g.ints(positions), g.ints([1, -1, 1])]);
  const indices = g.op('Expand', [column, g.op('Shape', [all])]);
  return g.op('ScatterElements', [zeros, indices, all], { axis: 1, reduction: 'add' });
}
