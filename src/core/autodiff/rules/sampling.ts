/** @file Spatial transformers: images read at the points of a grid, and grids made from affine maps. */
import { UserError } from '../../errors.ts';
import { describeNode, intOf, type Node, stringOf } from '../../onnx/graph.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Family, Scene } from '../rule.ts';
import { floatConstant } from './constants.ts';
import { asImage, asRows, type Positions, read, samplesAt, toPositions, toRows } from './samples.ts';
import { inputOf } from './sizes.ts';

type Op = 'GridSample' | 'AffineGrid';

export const sampling: Family<Op> = {
  GridSample: ([dy], node, scene) => (dy === undefined ? [] : gridSample(scene, node, dy)),

  // grid[n, p] = theta[n] (base[p], 1): dtheta[n] = sum over p of dgrid[n, p] (base[p], 1)^T
  AffineGrid: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const size = scene.constant(inputOf(node, 1));
    if (size === undefined) throw refused(node, 'a size that is computed at run time');
    const sizes = numbersOf(size).slice(2);
    const dtype = scene.dtype(inputOf(node, 0)) === 'float64' ? 'float64' : 'float32';
    const base = baseGrid(sizes, intOf(node, 'align_corners', 0) === 1);
    const points = floatConstant(g, base, [base.length / (sizes.length + 1), sizes.length + 1], dtype);
    const rows = g.op('Reshape', [dy, g.ints([0, -1, sizes.length])]);
    return [g.op('MatMul', [g.op('Transpose', [rows], { perm: [0, 2, 1] }), points])];
  },
};

const refused = (node: Node, what: string): UserError =>
  new UserError(`${describeNode(node)} has no derivative rule for ${what}`, 'export the model with fixed sizes');

/** Every point of a grid from -1 to 1, the innermost axis first, and a 1. */
function baseGrid(sizes: readonly number[], align: boolean): Float64Array {
  const count = sizes.reduce((a, b) => a * b, 1);
  const grid = new Float64Array(count * (sizes.length + 1));
  for (let p = 0; p < count; p++) {
    let rest = p;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const n = sizes[axis]!;
      const i = rest % n;
      rest = (rest - i) / n;
      const place = align ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1;
      grid[p * (sizes.length + 1) + sizes.length - 1 - axis] = place;
    }
    grid[p * (sizes.length + 1) + sizes.length] = 1;
  }
  return grid;
}

/** A position, and its derivative by the grid's coordinate. */
interface Placed {
  readonly positions: Positions;
  readonly slope: string;
}

/** y[n, c, p] = sum of x[n, c, i] w_i(grid[n, p]): dx gets w dy at each i, the grid the derivatives of w times x dy. */
function gridSample(scene: Scene, node: Node, dy: string): readonly (string | undefined)[] {
  const { g, active } = scene;
  const [x, grid] = [inputOf(node, 0), inputOf(node, 1)];
  const [, channels = null, ...space] = scene.dims(x);
  if (channels === null || !space.every((s) => s !== null)) throw refused(node, 'an image whose size is not fixed');
  const m = algebra(scene, x);
  const mode = stringOf(node, 'mode', 'linear').replace(/^bi/, '');
  const kernel = mode === 'nearest' || mode === 'cubic' ? mode : 'linear';
  const points = g.op('Reshape', [grid, g.ints([0, -1, space.length])]);
  const placed = space.map((size, axis): Placed => {
    const coordinate = g.op('Gather', [points, g.op('Squeeze', [g.ints([space.length - 1 - axis])])], { axis: 2 });
    return place(m, g, coordinate, size, node, kernel === 'cubic');
  });
  const samples = samplesAt(
    scene,
    placed.map((p) => p.positions),
    kernel,
    x,
  );
  const rows = asRows(scene, x, channels);
  const pixels = space.reduce((a, b) => a * b, 1);
  const ds = g.op('Transpose', [g.op('Reshape', [dy, g.ints([0, channels, -1])])], { perm: [0, 2, 1] });
  const toGrid = (): string => {
    const along = toPositions(scene, ds, read(scene, rows, samples), samples).map((d, i) => m.mul(d, placed[i]!.slope));
    const columns = along.reverse().map((d) => g.op('Unsqueeze', [d, g.ints([2])]));
    return scene.reshapeLike(g.op('Concat', columns, { axis: 2 }), grid);
  };
  return [
    active(0) ? asImage(scene, toRows(scene, ds, rows, samples, channels, x), x, pixels, channels) : undefined,
    active(1) && kernel !== 'nearest' ? toGrid() : undefined,
  ];
}

/** Where -1 .. 1 lies among the pixels, and what happens outside: the position is moved inside, except that cubic kernels move each pixel they read. */
function place(m: Algebra, g: Scene['g'], coordinate: string, size: number, node: Node, perPixel: boolean): Placed {
  const align = intOf(node, 'align_corners', 0) === 1;
  const padding = stringOf(node, 'padding_mode', 'zeros');
  const scale = align ? (size - 1) / 2 : size / 2;
  const raw = m.add(m.mul(coordinate, scale), (size - 1) / 2);
  const slope = m.number(scale);
  if (padding === 'zeros') return { positions: { size, at: raw }, slope };
  const [low, span] = align ? [0, size - 1] : [-0.5, size];
  const reflected = (value: string) => reflect(m, g, value, low, span);
  if (perPixel) {
    const bounded = (index: string): string => m.clip(padding === 'border' ? index : reflected(index).value, 0, size - 1);
    return { positions: { size, at: raw, bounded }, slope };
  }
  const { value, sign } = padding === 'border' ? { value: raw, sign: undefined } : reflected(raw);
  const at = m.clip(value, 0, size - 1);
  const moving = m.mul(slope, m.mask(m.equal(at, value)));
  return { positions: { size, at }, slope: sign === undefined ? moving : m.mul(moving, sign) };
}

/** `value` thrown back at low and low + span until it lies between, and the sign its derivative gets. */
function reflect(m: Algebra, g: Scene['g'], value: string, low: number, span: number): { value: string; sign: string } {
  if (span === 0) return { value: m.mul(value, 0), sign: m.mul(value, 0) };
  const distance = m.sub(value, low);
  const turn = g.op('Mod', [m.abs(distance), m.number(2 * span)], { fmod: 1 });
  const back = m.greater(turn, span);
  const inside = m.where(back, m.sub(2 * span, turn), turn);
  return { value: m.add(inside, low), sign: m.mul(m.sign(distance), m.where(back, -1, 1)) };
}
