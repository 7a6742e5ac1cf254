import { UserError } from '../../errors.ts';
import { describeNode, intOf, type Node } from '../../onnx/graph.ts';
import type { Family, Scene } from '../rule.ts';
import { type AxisMap, pullBack, type Taps } from './separable.ts';
import { inputOf, type Size, sizesOf } from './sizes.ts';
import { spread } from './spread.ts';
import { poolWindows, reach, type Windows } from './window.ts';

type Op = 'MaxPool' | 'AveragePool' | 'GlobalAveragePool' | 'GlobalMaxPool' | 'LpPool' | 'GlobalLpPool';

export const pooling: Family<Op> = {
  // y[o] = max over the window of o: dy goes to the first element that is the maximum
  MaxPool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    return [scene.provider === 'webgpu' ? byComparison(scene, node, dy) : byIndices(scene, node, dy)];
  },

  // y[o] = sum over the window of o of x / count(o), where the count is a product over the axes: a linear map along each of them
  AveragePool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const includesPads = intOf(node, 'count_include_pad', 0) === 1;
    return [pullBack(scene, dy, node.outputs[0]!, inputOf(node, 0), boxes(scene, node, includesPads ? 'padded' : 'inside'))];
  },

  // y = mean of x over space: dx = dy / (number of positions), everywhere
  GlobalAveragePool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const dtype = scene.dtype(x);
    const space = scene.dims(x).slice(2);
    const share = space.every((s) => s !== null)
      ? g.op('Mul', [dy, scene.number(1 / space.reduce((a, b) => a * b, 1), dtype)])
      : g.op('Div', [dy, g.op('CastLike', [g.op('ReduceProd', [g.op('Shape', [x], { start: 2 })], { keepdims: 0 }), dy])]);
    return [g.op('Expand', [share, scene.shape(x)])];
  },

  // y = max of x over space: dy goes to the first maximum
  GlobalMaxPool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const rows = g.op('Reshape', [x, g.ints([0, 0, -1])]);
    const at = g.op('ArgMax', [rows], { axis: 2, keepdims: 1 });
    const zeros = scene.full(g.op('Shape', [rows]), 0, scene.dtype(x));
    const dx = g.op('ScatterElements', [zeros, at, g.op('Reshape', [dy, g.ints([0, 0, 1])])], { axis: 2 });
    return [scene.reshapeLike(dx, x)];
  },

  // y = (sum |x|^p)^(1/p): dx = sign(x) |x|^(p-1) times what the windows collect of dy y^(1-p); 0 where y is 0
  LpPool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, y] = [inputOf(node, 0), node.outputs[0]!];
    const p = intOf(node, 'p', 2);
    const collected = pullBack(scene, normShare(scene, dy, y, p), y, x, boxes(scene, node, 'one'));
    return [scene.g.op('Mul', [normSlope(scene, x, p), collected])];
  },

  GlobalLpPool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, y] = [inputOf(node, 0), node.outputs[0]!];
    const p = intOf(node, 'p', 2);
    return [scene.g.op('Mul', [normSlope(scene, x, p), normShare(scene, dy, y, p)])];
  },
};

/** dy y^(1-p), zero where y is. */
const normShare = ({ g, number, dtype }: Scene, dy: string, y: string, p: number): string => {
  if (p === 1) return dy;
  const zero = number(0, dtype(y));
  const divisor = p === 2 ? y : g.op('Pow', [y, number(p - 1, dtype(y))]);
  return g.op('Where', [g.op('Equal', [y, zero]), zero, g.op('Div', [dy, divisor])]);
};

/** sign(x) |x|^(p-1). */
const normSlope = ({ g, number, dtype }: Scene, x: string, p: number): string => {
  if (p === 2) return x;
  const sign = g.op('Sign', [x]);
  return p === 1 ? sign : g.op('Mul', [sign, g.op('Pow', [g.op('Abs', [x]), number(p - 1, dtype(x))])]);
};

/** Sizes of x and y along the spatial axes; a size that depends on the batch is refused. */
function spaces(scene: Scene, node: Node): { input: number[]; output: number[] } {
  const known = (name: string): number[] =>
    scene
      .dims(name)
      .slice(2)
      .map((size, i) => {
        if (size !== null) return size;
        throw new UserError(
          `${describeNode(node)}: the size of axis ${i + 2} of "${name}" is not fixed, and the derivative needs it`,
          'give the input a fixed size along that axis',
        );
      });
  return { input: known(inputOf(node, 0)), output: known(node.outputs[0]!) };
}

/** The windows as a map along each axis; each tap weighs 1 / (taps inside x), 1 / (taps inside x and its pads), or 1. */
function boxes(scene: Scene, node: Node, weighing: 'inside' | 'padded' | 'one'): AxisMap[] {
  const windows = poolWindows(node);
  const { input, output } = spaces(scene, node);
  return input.map((size, i) => {
    const [kernel, stride, dilation] = [windows.kernel[i]!, windows.strides[i]!, windows.dilations[i]!];
    const padBegin = windows.padsBegin[i]!;
    const weights: number[] = [];
    const rows = Array.from({ length: output[i]! }, (_, o): Taps => {
      const positions = Array.from({ length: kernel }, (_, k) => o * stride + k * dilation - padBegin);
      const inside = positions.filter((at) => at >= 0 && at < size);
      const padded = positions.filter((at) => at < size + windows.padsEnd[i]!);
      const weight = 1 / { inside: inside.length, padded: padded.length, one: 1 }[weighing];
      weights.push(weight);
      return inside.map((at) => ({ at, weight }));
    });
    return { axis: i + 2, size, rows, windows: { kernel, stride, dilation, padBegin, weights } };
  });
}

/**
 * Where each maximum came from, asked of MaxPool once more: its kernel without Indices is many times faster, so the forward node keeps it
 * (measured: the second run costs 5 to 10 % of forward and backward together). Indices count over the whole tensor, batch and channels included.
 */
function byIndices(scene: Scene, node: Node, dy: string): string {
  const { g } = scene;
  const x = inputOf(node, 0);
  const windows = poolWindows(node);
  const indices = indicesOf(scene, node, windows, x);
  const apart = windows.strides.every((s, i) => s > reach(windows)[i]!);
  if (apart && !reachesBeyond(scene, node, windows) && scene.dtype(x) === 'float32') {
    const { kernel, strides, padsBegin, padsEnd } = windows;
    return g.op('MaxUnpool', [dy, indices, scene.shape(x)], { kernel_shape: kernel, strides, pads: [...padsBegin, ...padsEnd] });
  }
  const list = g.ints([-1]);
  const size = g.op('Reshape', [g.op('Size', [x]), list]);
  const zeros = scene.full(size, 0, scene.dtype(x));
  const flat = [zeros, g.op('Reshape', [indices, list]), g.op('Reshape', [dy, list])];
  return scene.reshapeLike(g.op('ScatterElements', flat, { axis: 0, reduction: 'add' }), x);
}

/** Whether rounding up has made a last window that ends outside x and its pads: MaxUnpool refuses those. */
function reachesBeyond(scene: Scene, node: Node, windows: Windows): boolean {
  if (intOf(node, 'ceil_mode', 0) === 0) return false;
  const { strides, padsBegin, padsEnd } = windows;
  const { input, output } = spaces(scene, node);
  return input.some((size, i) => (output[i]! - 1) * strides[i]! + reach(windows)[i]! + 1 > size + padsBegin[i]! + padsEnd[i]!);
}

function indicesOf({ g }: Scene, node: Node, windows: Windows, x: string): string {
  const given = node.outputs[1];
  if (given !== undefined && given !== '' && intOf(node, 'storage_order', 0) === 0) return given;
  const { kernel, strides, dilations, padsBegin, padsEnd } = windows;
  const [, indices] = g.ops('MaxPool', [x], 2, {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...padsBegin, ...padsEnd],
    ceil_mode: intOf(node, 'ceil_mode', 0),
  });
  return indices!;
}

/** For providers without Indices: offset by offset, the elements equal to the maximum take dy where no earlier offset has. */
function byComparison(scene: Scene, node: Node, dy: string): string {
  const { g } = scene;
  const [x, y] = [inputOf(node, 0), node.outputs[0]!];
  const { kernel, strides, dilations, padsBegin } = poolWindows(node);
  const { input, output } = spaces(scene, node);
  const axes = kernel.map((_, i) => i + 2);
  const aside = [0, 0];
  const [zero, far] = [scene.number(0, scene.dtype(x)), reach(poolWindows(node))];
  const behind = input.map((n, i) => Math.max(0, (output[i]! - 1) * strides[i]! + far[i]! + 1 - padsBegin[i]! - n));
  const padded = [...padsBegin, ...behind].every((p) => p === 0)
    ? x
    : g.op('Pad', [
        x,
        g.ints([...aside, ...padsBegin, ...aside, ...behind]),
        scene.number(Number.NEGATIVE_INFINITY, scene.dtype(x)),
      ]);
  const dySizes: Size[] = sizesOf(scene, y);
  let left = dy;
  const parts: string[] = [];
  for (const offset of offsets(kernel)) {
    const start = offset.map((k, i) => k * dilations[i]!);
    const end = start.map((s, i) => s + (output[i]! - 1) * strides[i]! + 1);
    const tap = g.op('Slice', [padded, g.ints(start), g.ints(end), g.ints(axes), g.ints(strides)]);
    const taken = g.op('Where', [g.op('Equal', [tap, y]), left, zero]);
    left = g.op('Sub', [left, taken]);
    const spots = start.map((s, i) => {
      const before = s - padsBegin[i]!;
      return { axis: i + 2, step: strides[i]!, before, after: input[i]! - before - (output[i]! - 1) * strides[i]! - 1 };
    });
    parts.push(spread(scene, taken, dySizes, spots));
  }
  return parts.length === 1 ? parts[0]! : g.op('Sum', parts);
}

/** All offsets of a window, the last axis fastest. */
const offsets = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>((list, k) => list.flatMap((head) => Array.from({ length: k }, (_, i) => [...head, i])), [[]]);
