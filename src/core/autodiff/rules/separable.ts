/**
 * @file Operations that are a linear map along each axis, one axis after the other: y = (W_1 x ... x W_k) x with W_a of [out, in] (average pooling,
 * resizing). Their derivative is the transposed matrix along each axis. The matrices are constants, since the sizes along those axes are known.
 */
import type { Scene } from '../rule.ts';
import { floatConstant } from './constants.ts';
import { type Size, sizesOf } from './sizes.ts';

/** One output position: the input positions it reads, and their weights. */
export type Taps = readonly { readonly at: number; readonly weight: number }[];

export interface AxisMap {
  readonly axis: number;
  /** Size of x along the axis. */
  readonly size: number;
  /** One list of taps per output position. */
  readonly rows: readonly Taps[];
}

/** Above so many entries a matrix is written as its taps and scattered instead of multiplied: long waveforms. */
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
function alongAxis(scene: Scene, value: string, sizes: readonly Size[], map: AxisMap, dtype: 'float32' | 'float64'): string {
  const { g } = scene;
  const { axis, size, rows } = map;
  const rest = sizes.slice(axis + 1).reduce<number>((product, s) => {
    if (typeof s !== 'number') throw new Error(`axis ${axis} is followed by one whose size depends on the batch`);
    return product * s;
  }, 1);
  if (rows.length * size > largestMatrix) return scattered(scene, value, map, rest, dtype);
  const seen = g.op('Reshape', [value, g.ints(rest === 1 ? [-1, rows.length] : [-1, rows.length, rest])]);
  const matrix = new Float64Array(rows.length * size);
  const [stepOut, stepIn] = rest === 1 ? [size, 1] : [1, rows.length];
  for (const [o, taps] of rows.entries()) for (const { at, weight } of taps) matrix[o * stepOut + at * stepIn]! += weight;
  return rest === 1
    ? g.op('MatMul', [seen, floatConstant(g, matrix, [rows.length, size], dtype)])
    : g.op('MatMul', [floatConstant(g, matrix, [size, rows.length], dtype), seen]);
}

/** The same by adding each weighted output to the positions it was read from. */
function scattered(
  { g, number }: Scene,
  value: string,
  { size, rows }: AxisMap,
  rest: number,
  dtype: 'float32' | 'float64',
): string {
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
