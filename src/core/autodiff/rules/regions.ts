/** @file Regions of an image pooled to one size. Boxes are taken as given, as torchvision takes them: the derivative is that by the image. */
import { UserError } from '../../errors.ts';
import { elementType } from '../../onnx/dtypes.ts';
import { describeNode, floatOf, intOf, intsOf, type Node, stringOf } from '../../onnx/graph.ts';
import { i64 } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Family, Scene } from '../rule.ts';
import { inputOf, zerosLike } from './sizes.ts';

type Op = 'RoiAlign' | 'MaxRoiPool';

const refused = (node: Node, what: string): UserError =>
  new UserError(`${describeNode(node)} has no derivative rule for ${what}`, 'export the model with fixed sizes and mode avg');

/** The last two sizes of the image. */
function imageSize(node: Node, scene: Scene): readonly [number, number] {
  const [, , height = null, width = null] = scene.dims(inputOf(node, 0));
  if (height === null || width === null) throw refused(node, 'an image whose size is not fixed');
  return [height, width];
}

/** Column `index` of the boxes, [boxes, 1, ...] with `rank` axes. */
const column = ({ g }: Scene, boxes: string, index: number, rank: number): string =>
  g.op('Reshape', [g.op('Gather', [boxes, g.ints([index])], { axis: 1 }), g.ints([-1, ...new Array<number>(rank - 1).fill(1)])]);

/** 0, 1, ... as floats of the dtype of the formulas, shaped [count, 1, ...] with `rank` axes. */
const counted = ({ g }: Scene, m: Algebra, count: number, rank: number): string =>
  g.op(
    'Cast',
    [
      g.constant(
        i64(
          Array.from({ length: count }, (_, i) => i),
          [count, ...new Array<number>(rank - 1).fill(1)],
        ),
      ),
    ],
    { to: elementType(m.dtype) },
  );

/** Cotangents of the images [boxes, channels, height, width] added up into those of the whole batch. */
function toBatch(scene: Scene, parts: string, owners: string, x: string): string {
  const { g } = scene;
  const rows = g.op('Reshape', [g.op('Cast', [owners], { to: elementType('int64') }), g.ints([-1, 1])]);
  return g.op('ScatterND', [zerosLike(scene, x), rows, parts], { reduction: 'add' });
}

export const regions: Family<Op> = {
  // y = A_h x A_w^T per box, each row of A the mean of the samples of one bin: dx = A_h^T dy A_w
  RoiAlign: ([dy], node, scene) => {
    if (dy === undefined) return [];
    if (stringOf(node, 'mode', 'avg') !== 'avg') throw refused(node, 'mode max');
    const { g } = scene;
    const x = inputOf(node, 0);
    const [height, width] = imageSize(node, scene);
    const rows = means(scene, node, height, intOf(node, 'output_height', 1), [1, 3]);
    const columns = means(scene, node, width, intOf(node, 'output_width', 1), [0, 2]);
    const along = (matrix: string): string => g.op('Unsqueeze', [matrix, g.ints([1])]);
    const turned = g.op('Transpose', [rows], { perm: [0, 2, 1] });
    const parts = g.op('MatMul', [g.op('MatMul', [along(turned), dy]), along(columns)]);
    return [toBatch(scene, parts, inputOf(node, 2), x)];
  },

  // y = the largest element of each bin: dy goes to the first that is
  MaxRoiPool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const [x, boxes] = [inputOf(node, 0), inputOf(node, 1)];
    const m = algebra(scene, x);
    const [height, width] = imageSize(node, scene);
    const channels = scene.dims(x)[1]!;
    const [down, across] = intsOf(node, 'pooled_shape', []) as [number, number];
    const inRows = g.op('Unsqueeze', [membership(scene, m, node, height, down, [2, 4]), g.ints([1, 3, 5])]);
    const inColumns = g.op('Unsqueeze', [membership(scene, m, node, width, across, [1, 3]), g.ints([1, 2, 4])]);
    const inside = g.op('And', [inRows, inColumns]);
    const owners = g.op('Cast', [column(scene, boxes, 0, 1)], { to: elementType('int64') });
    const seen = g.op('Unsqueeze', [g.op('Gather', [x, owners], { axis: 0 }), g.ints([2, 3])]);
    const candidates = g.op('Reshape', [m.where(inside, seen, Number.NEGATIVE_INFINITY), g.ints([0, 0, down * across, -1])]);
    const first = g.op('ArgMax', [candidates], { axis: 3, keepdims: 0 });
    const isEmpty = m.equal(g.op('ReduceMax', [candidates, g.ints([3])], { keepdims: 0 }), Number.NEGATIVE_INFINITY);
    const shares = m.where(isEmpty, 0, g.op('Reshape', [dy, g.ints([0, 0, down * across])]));
    const count = g.op('Shape', [boxes], { start: 0, end: 1 });
    const zeros = scene.full(g.op('Concat', [count, g.ints([channels, height * width])], { axis: 0 }), 0, scene.dtype(x));
    const flat = g.op('ScatterElements', [zeros, first, shares], { axis: 2, reduction: 'add' });
    return [toBatch(scene, g.op('Reshape', [flat, g.ints([0, 0, height, width])]), owners, x)];
  },
};

/** [boxes, bins, size]: the weight of every row (or column) of the image in the mean of each bin's samples, by linear interpolation. */
function means(scene: Scene, node: Node, size: number, bins: number, [low, high]: readonly [number, number]): string {
  const { g } = scene;
  const boxes = inputOf(node, 1);
  const m = algebra(scene, boxes);
  const aligned = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const scale = floatOf(node, 'spatial_scale', 1);
  const place = (index: number): string => m.sub(m.mul(column(scene, boxes, index, 4), scale), aligned ? 0.5 : 0);
  const [start, end] = [place(low), place(high)];
  const extent = aligned ? m.sub(end, start) : g.op('Max', [m.sub(end, start), m.number(1)]);
  const bin = m.div(extent, bins);
  const ratio = intOf(node, 'sampling_ratio', 0);
  const samples = ratio > 0 ? m.number(ratio) : g.op('Max', [g.op('Ceil', [bin]), m.number(0)]);
  const divisor = g.op('Max', [samples, m.number(1)]);
  const numbers = (): string => {
    const most = g.op('Cast', [g.op('ReduceMax', [divisor], { keepdims: 0 })], { to: elementType('int64') });
    const list = g.op('Range', [g.op('Squeeze', [g.ints([0])]), most, g.op('Squeeze', [g.ints([1])])]);
    return g.op('Reshape', [g.op('Cast', [list], { to: elementType(m.dtype) }), g.ints([-1, 1])]);
  };
  const i = ratio > 0 ? counted(scene, m, ratio, 2) : numbers();
  const step = m.mul(m.div(m.add(i, 0.5), divisor), bin);
  const raw = m.add(m.add(start, m.mul(counted(scene, m, bins, 3), bin)), step);
  const outside = g.op('Or', [m.greater(-1, raw), m.greater(raw, size)]);
  const skipped = ratio > 0 ? outside : g.op('Or', [outside, g.op('GreaterOrEqual', [i, samples])]);
  const distance = m.abs(m.sub(counted(scene, m, size, 1), m.clip(raw, 0, size - 1)));
  const hat = m.where(skipped, 0, g.op('Relu', [m.sub(1, distance)]));
  return m.div(
    g.op('ReduceSum', [hat, g.ints([2])], { keepdims: 0 }),
    ratio > 0 ? ratio : g.op('Squeeze', [divisor, g.ints([2])]),
  );
}

/** [boxes, bins, size]: whether a row (or column) of the image belongs to a bin; boxes are rounded to pixels, both ends included. */
function membership(
  scene: Scene,
  m: Algebra,
  node: Node,
  size: number,
  bins: number,
  [low, high]: readonly [number, number],
): string {
  const { g } = scene;
  const boxes = inputOf(node, 1);
  const pixel = (index: number): string =>
    g.op('Floor', [m.add(m.mul(column(scene, boxes, index, 3), floatOf(node, 'spatial_scale', 1)), 0.5)]);
  const [start, end] = [pixel(low), pixel(high)];
  const bin = m.div(g.op('Max', [m.add(m.sub(end, start), 1), m.number(1)]), bins);
  const p = counted(scene, m, bins, 2);
  const edge = (op: 'Floor' | 'Ceil', at: string): string => m.add(start, g.op(op, [m.mul(at, bin)]));
  const at = counted(scene, m, size, 1);
  return g.op('And', [g.op('GreaterOrEqual', [at, edge('Floor', p)]), g.op('Less', [at, edge('Ceil', m.add(p, 1))])]);
}
