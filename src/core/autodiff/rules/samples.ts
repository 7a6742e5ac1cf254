/** @file Images read between their pixels: which pixels each position reads, with what weights, and the way back to pixels and positions. */
import { i64, tensor } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Scene } from '../rule.ts';

/** Pixels read relative to the one at or before the position, and their weights as polynomials of the fraction t left (row: power, column: pixel). */
interface Kernel {
  readonly offsets: readonly number[];
  readonly powers: readonly (readonly number[])[];
}

/** The free parameter of cubic convolution (Keys 1981, doi 10.1109/TASSP.1981.1163711). */
const a = -0.75;

export const kernels = {
  nearest: { offsets: [0], powers: [[1]] },
  linear: {
    offsets: [0, 1],
    powers: [
      [1, 0],
      [-1, 1],
    ],
  },
  cubic: {
    offsets: [-1, 0, 1, 2],
    powers: [
      [0, 1, 0, 0],
      [a, 0, -a, 0],
      [-2 * a, -a - 3, 2 * a + 3, a],
      [a, a + 2, -a - 2, -a],
    ],
  },
} as const satisfies Record<string, Kernel>;

/** Positions along one axis. */
export interface Positions {
  /** Pixels along the axis. */
  readonly size: number;
  /** In pixels, [batch, positions]. */
  readonly at: string;
  /** What replaces an integer position outside the image; without it such a pixel counts as zero. */
  readonly bounded?: (index: string) => string;
}

export interface Samples {
  /** Numbers of the pixels read, over the whole batch: [batch, positions, taps]. */
  readonly pixels: string;
  /** Their weights, and the derivatives of those by the position along each axis. */
  readonly weights: string;
  readonly slopes: readonly string[];
}

/** What every position reads of an image whose axes are given in order; `like` is a value of its dtype. */
export function samplesAt(scene: Scene, axes: readonly Positions[], kernel: keyof typeof kernels, like: string): Samples {
  const { g } = scene;
  const m = algebra(scene, like);
  const lines = axes.map((axis, i) => alongLine(scene, m, axis, kernels[kernel], otherAxes(axes.length, i)));
  const product = (parts: readonly string[]): string => {
    const whole = parts.reduce((p, q) => m.mul(p, q));
    return g.op('Reshape', [whole, g.ints([0, 0, -1])]);
  };
  const total = axes.reduce((n, { size }) => n * size, 1);
  const [zero, one] = [g.op('Squeeze', [g.ints([0])]), g.op('Squeeze', [g.ints([1])])];
  const batch = g.op('Squeeze', [g.op('Shape', [axes[0]!.at], { start: 0, end: 1 })]);
  const first = g.op('Mul', [g.op('Range', [zero, batch, one]), g.constant(i64([total], []))]);
  let number = g.op('Reshape', [first, g.ints([-1, 1, ...axes.map(() => 1)])]);
  let stride = total;
  for (const [i, { size }] of axes.entries()) {
    stride /= size;
    number = g.op('Add', [number, g.op('Mul', [lines[i]!.index, g.constant(i64([stride], []))])]);
  }
  return {
    pixels: g.op('Reshape', [number, g.ints([0, 0, -1])]),
    weights: product(lines.map((l) => l.weight)),
    slopes: lines.map((_, j) => product(lines.map((l, i) => (i === j ? l.slope : l.weight)))),
  };
}

/** Where the taps of the other axes are put beside those of axis `i`. */
const otherAxes = (count: number, i: number): number[] =>
  Array.from({ length: count }, (_, j) => j + 2).filter((j) => j !== i + 2);

/** Per tap of one axis: the pixel (int64), its weight and the derivative of that; pixels outside have none. */
function alongLine({ g }: Scene, m: Algebra, { size, at, bounded }: Positions, kernel: Kernel, others: readonly number[]) {
  const row = (values: readonly number[]): string =>
    g.constant(
      m.dtype === 'float64'
        ? tensor('float64', [values.length], Float64Array.from(values))
        : tensor('float32', [values.length], Float32Array.from(values)),
    );
  const position = g.op('Unsqueeze', [at, g.ints([2])]);
  const isNearest = kernel.offsets.length === 1;
  const low = g.op(isNearest ? 'Round' : 'Floor', [position]);
  const t = m.sub(position, low);
  const raw = m.add(low, row(kernel.offsets));
  const index = bounded === undefined ? raw : bounded(raw);
  const within = m.clip(index, 0, size - 1);
  const inside = m.mask(m.equal(within, index));
  const polynomial = (rows: readonly (readonly number[])[]): string =>
    rows.length === 1
      ? m.add(row(rows[0]!), m.mul(t, 0))
      : rows.slice(0, -1).reduceRight((sum, coefficients) => m.add(m.mul(sum, t), row(coefficients)), row(rows.at(-1)!));
  const derivative = kernel.powers.slice(1).map((coefficients, power) => coefficients.map((c) => c * (power + 1)));
  const placed = (value: string): string => (others.length === 0 ? value : g.op('Unsqueeze', [value, g.ints(others)]));
  return {
    index: placed(g.op('Cast', [within], { to: 7 })),
    weight: placed(m.mul(polynomial(kernel.powers), inside)),
    slope: placed(isNearest ? m.mul(inside, 0) : m.mul(polynomial(derivative), inside)),
  };
}

/** The image as rows of pixels: [batch, channels, ...] to [batch x pixels, channels]. */
export function asRows({ g }: Scene, image: string, channels: number): string {
  const flat = g.op('Reshape', [image, g.ints([0, channels, -1])]);
  return g.op('Reshape', [g.op('Transpose', [flat], { perm: [0, 2, 1] }), g.ints([-1, channels])]);
}

/** What each tap reads: [batch, positions, taps, channels]. */
export const read = ({ g }: Scene, rows: string, { pixels }: Samples): string => g.op('Gather', [rows, pixels], { axis: 0 });

/** The cotangent of the rows, from that of what was read in sum, [batch, positions, channels]. */
export function toRows(
  scene: Scene,
  ds: string,
  rows: string,
  { pixels, weights }: Samples,
  channels: number,
  like: string,
): string {
  const { g } = scene;
  const updates = g.op('Mul', [g.op('Unsqueeze', [ds, g.ints([2])]), g.op('Unsqueeze', [weights, g.ints([3])])]);
  const zeros = scene.full(g.op('Shape', [rows]), 0, scene.dtype(like));
  const flat = [g.op('Reshape', [pixels, g.ints([-1, 1])]), g.op('Reshape', [updates, g.ints([-1, channels])])];
  return g.op('ScatterND', [zeros, ...flat], { reduction: 'add' });
}

/** Rows of pixels as an image of the shape of `like`. */
export function asImage(scene: Scene, rows: string, like: string, pixels: number, channels: number): string {
  const { g } = scene;
  const turned = g.op('Transpose', [g.op('Reshape', [rows, g.ints([-1, pixels, channels])])], { perm: [0, 2, 1] });
  return scene.reshapeLike(turned, like);
}

/** The cotangents of the positions along each axis, [batch, positions], from `taps` (what each tap read) and that of their sum. */
export function toPositions({ g }: Scene, ds: string, taps: string, { slopes }: Samples): string[] {
  const product = g.op('Mul', [taps, g.op('Unsqueeze', [ds, g.ints([2])])]);
  const perTap = g.op('ReduceSum', [product, g.ints([3])], { keepdims: 0 });
  return slopes.map((slope) => g.op('ReduceSum', [g.op('Mul', [perTap, slope]), g.ints([2])], { keepdims: 0 }));
}
