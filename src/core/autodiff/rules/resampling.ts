import { UserError } from '../../errors.ts';
import { describeNode, floatOf, intOf, intsOf, type Node, stringOf } from '../../onnx/graph.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import type { Family, Scene } from '../rule.ts';
import { type AxisMap, pullBack, type Taps } from './separable.ts';
import { inputOf, positive } from './sizes.ts';

type Op = 'Resize';

export const resampling: Family<Op> = {
  // every axis is interpolated on its own: a linear map per axis, whose weights depend on sizes and scales only
  Resize: ([dy], node, scene) => {
    if (dy === undefined) return [];
    return [pullBack(scene, dy, node.outputs[0]!, inputOf(node, 0), resizedAxes(scene, node))];
  },
};

interface Axis {
  /** Its place among the node's axes. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

function resizedAxes(scene: Scene, node: Node): AxisMap[] {
  const [input, output] = [scene.dims(inputOf(node, 0)), scene.dims(node.outputs[0]!)];
  const scales = scalesOf(scene, node);
  // of an axis of open size only a stated scale, or its being the batch, says that it keeps its size
  const steady = (axis: number): boolean => scales[axis] === 1 || (scales[axis] === undefined && axis === 0);
  // the runtime copies where nothing changes size, whatever the scales say
  if (input.every((from, axis) => from === output[axis] && (from !== null || steady(axis))) && !crops(node)) return [];
  const rows = interpolation(node, scene);
  const antialias = intOf(node, 'antialias', 0) === 1;
  return input.flatMap((from, axis): AxisMap[] => {
    const to = output[axis]!;
    if (from === null || to === null) {
      if (from === to && steady(axis)) return [];
      throw new UserError(
        `${describeNode(node)}: the size of axis ${axis} is not fixed, and the derivative needs it`,
        'give the input a fixed size along that axis',
      );
    }
    const scale = scales[axis] ?? to / from;
    if (from === to && (scale === 1 || antialias) && !crops(node)) return [];
    return [{ axis, size: from, rows: Array.from({ length: to }, (_, o) => rows(o, { index: axis, from, to, scale })) }];
  });
}

/** The axes that scales, sizes and regions are given for, in their order. */
function axesOf(node: Node, { dims }: Scene): number[] {
  const rank = dims(inputOf(node, 0)).length;
  const all = Array.from({ length: rank }, (_, i) => i);
  return intsOf(node, 'axes', all).map((a) => positive(a, rank));
}

/** The scale of each axis where the node states it; undefined where it follows from the sizes. */
function scalesOf(scene: Scene, node: Node): (number | undefined)[] {
  const { constant, dims } = scene;
  const rank = dims(inputOf(node, 0)).length;
  const axes = axesOf(node, scene);
  const spreadOut = (values: readonly number[]): (number | undefined)[] =>
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? values[axes.indexOf(axis)] : 1));
  const scales = node.inputs[2] === undefined || node.inputs[2] === '' ? undefined : constant(node.inputs[2]);
  if (scales !== undefined && scales.dims[0] !== 0) return spreadOut(numbersOf(scales));
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return new Array<undefined>(rank).fill(undefined);
  const sizes = node.inputs[3] === undefined ? undefined : constant(node.inputs[3]);
  if (sizes === undefined) throw unsupported(node, `keep_aspect_ratio_policy ${policy} with sizes that are computed`);
  const wanted = numbersOf(sizes).map((s, i) => s / (dims(inputOf(node, 0))[axes[i]!] ?? Number.NaN));
  const common = policy === 'not_larger' ? Math.min(...wanted) : Math.max(...wanted);
  return spreadOut(axes.map(() => common));
}

/** Whether a node resizes the part `roi` of its input; what lies beyond the input then is a constant. */
const crops = (node: Node): boolean => stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';

/** The taps of output position o, by the node's mode. */
function interpolation(node: Node, scene: Scene): (o: number, axis: Axis) => Taps {
  const position = positionRule(node, scene);
  const taps = tapsAround(node);
  const beyond = (x: number, { from }: Axis): boolean => crops(node) && (x < 0 || x > from - 1);
  return (o, axis) => {
    const x = position(o, axis);
    return beyond(x, axis) ? [] : taps(x, axis);
  };
}

/** The taps of a position on the input axis. */
function tapsAround(node: Node): (x: number, axis: Axis) => Taps {
  const mode = stringOf(node, 'mode', 'nearest');
  if (mode === 'nearest') {
    const round = rounding(node);
    return (x, axis) => [{ at: clamp(round(x), axis.from), weight: 1 }];
  }
  if (mode !== 'linear' && mode !== 'cubic') throw unsupported(node, `mode ${mode}`);
  const a = floatOf(node, 'cubic_coeff_a', -0.75);
  const kernel: Kernel = mode === 'linear' ? { reach: 1, at: (d) => Math.max(0, 1 - d) } : { reach: 2, at: (d) => cubic(d, a) };
  const antialias = intOf(node, 'antialias', 0) === 1;
  const onlyInside = intOf(node, 'exclude_outside', 0) === 1;
  return (x, axis) => {
    // linear positions beyond the ends stand at the ends
    const centre = mode === 'linear' && !antialias ? Math.min(Math.max(x, 0), axis.from - 1) : x;
    return neighbours(kernel, centre, axis, antialias, onlyInside);
  };
}

interface Kernel {
  /** Distance at which the weight has fallen to 0. */
  readonly reach: number;
  readonly at: (distance: number) => number;
}

/** Cubic convolution (Keys 1981). */
function cubic(d: number, a: number): number {
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/** The weighted neighbours of x, the kernel widened when antialiasing shrinks; positions outside repeat the border or, on request, are left out. */
function neighbours(kernel: Kernel, x: number, { from, scale }: Axis, antialias: boolean, onlyInside: boolean): Taps {
  const widening = antialias ? Math.max(1, 1 / scale) : 1;
  const taps: { at: number; weight: number }[] = [];
  for (let at = Math.ceil(x - kernel.reach * widening); at <= x + kernel.reach * widening; at++) {
    const weight = kernel.at(Math.abs(x - at) / widening);
    if (weight !== 0 && !(onlyInside && (at < 0 || at >= from))) taps.push({ at: clamp(at, from), weight });
  }
  const total = taps.reduce((sum, { weight }) => sum + weight, 0);
  return taps.map(({ at, weight }) => ({ at, weight: weight / total }));
}

const clamp = (at: number, size: number): number => Math.min(Math.max(at, 0), size - 1);

/**
 * Where output position o lies on the input axis. In single precision, operation by operation as the runtime does: with `nearest`, the last bit
 * decides which element is copied.
 */
function positionRule(node: Node, scene: Scene): (o: number, axis: Axis) => number {
  const mode = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const f = Math.fround;
  const halfPixel = (o: number, scale: number): number => f(f(f(o + 0.5) / f(scale)) - 0.5);
  switch (mode) {
    case 'half_pixel':
      return (o, { scale }) => halfPixel(o, scale);
    case 'pytorch_half_pixel':
      return (o, { scale, to }) => (to > 1 ? halfPixel(o, scale) : 0);
    case 'align_corners':
      return (o, { from, to }) => (to === 1 ? 0 : f(f(o * (from - 1)) / (to - 1)));
    case 'asymmetric':
      return (o, { scale }) => f(o / f(scale));
    case 'half_pixel_symmetric':
      return (o, { scale, from, to }) => f(f((from / 2) * f(1 - f(to / f(f(scale) * from)))) + (o + 0.5) / f(scale) - 0.5);
    case 'tf_crop_and_resize': {
      const region = regionOf(node, scene);
      return (o, { index, from, to }) => {
        const [start, end] = region(index);
        if (to === 1) return f(0.5 * f(f(start + end) * (from - 1)));
        return f(f(start * (from - 1)) + f(f(o * f(f(end - start) * (from - 1))) / (to - 1)));
      };
    }
    default:
      throw unsupported(node, `coordinate_transformation_mode ${mode}`);
  }
}

/** Start and end of what is resized of an axis, in shares of its length; all of it where `roi` does not name the axis. */
function regionOf(node: Node, scene: Scene): (axis: number) => readonly [number, number] {
  const roi = node.inputs[1] === undefined ? undefined : scene.constant(node.inputs[1]);
  if (roi === undefined) throw unsupported(node, 'a region (roi) that is computed');
  const values = numbersOf(roi);
  const axes = axesOf(node, scene);
  return (axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? [0, 1] : [values[i]!, values[i + axes.length]!];
  };
}

function rounding(node: Node): (x: number) => number {
  const mode = stringOf(node, 'nearest_mode', 'round_prefer_floor');
  switch (mode) {
    // the runtime (measured: 1.30) takes what is within 1e-6 of a half for a half
    case 'round_prefer_floor':
      return (x) => Math.ceil(x - 0.5 - 1e-6);
    case 'round_prefer_ceil':
      return (x) => Math.floor(x + 0.5 + 1e-6);
    case 'floor':
      return Math.floor;
    case 'ceil':
      return Math.ceil;
    default:
      throw unsupported(node, `nearest_mode ${mode}`);
  }
}

const unsupported = (node: Node, what: string): UserError =>
  new UserError(
    `${describeNode(node)}: there is no derivative rule for ${what}`,
    'export the model with another setting, or resize outside the model',
  );
