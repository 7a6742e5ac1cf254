/**
 * @file A convolution as one matrix product: the rows under the taps of each window are gathered side by side (the patches), and multiplied with the
 * weights. Forward and weight gradient read the same patches; the gradient of the input takes one of two forms.
 */
import type { Surrogate } from '../../autodiff/substitutes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import { intsOf, type Node } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { withZeroRow } from '../pixel-rows/rows.ts';
import { internal } from './internal.ts';
import { gathered, gatheredFrom, sumOfRows, threeAxes, twoAxes } from './rows.ts';
import { placesOf, tapsOf, type Windows, windowsOver } from './windows.ts';

const op = 'PatchProduct';

export interface Convolution {
  readonly windows: Windows;
  /** Sizes of the map that comes in, without channels. */
  readonly map: readonly number[];
  /** Channels in and out. */
  readonly channels: readonly [number, number];
}

/** Writes the convolution of `rows` [batch, positions, channels in] as `output` [batch * windows, channels out]; weights are [...kernel, in, out]. */
export function patchProduct(
  g: GraphBuilder,
  rows: string,
  [weights, bias]: readonly [string, string?],
  c: Convolution,
  output: string,
): void {
  const { windows, map, channels } = c;
  const [inside, out] = channels;
  const taps = sizeOf(windows.kernel);
  const patches = twoAxes(g, gathered(g, rows, tapsOf(windows, map), sizeOf(map)), taps * inside);
  const matrix = g.op('Reshape', [weights, g.ints([taps * inside, out])]);
  internal(g, op, [rows, patches, matrix, ...(bias === undefined ? [] : [bias])], [output], {
    map,
    channels,
    kernel: windows.kernel,
    strides: windows.strides,
    dilations: windows.dilations,
    before: windows.before,
    after: windows.after,
  });
}

/** The ordinary nodes: y = patches W + b. */
export function lowerPatchProduct(g: GraphBuilder, node: Node): void {
  const [, ...operands] = node.inputs;
  g.op('Gemm', operands, {}, node.outputs[0]!);
}

const convolutionOf = (node: Node): Convolution => {
  const list = (name: string): readonly number[] => intsOf(node, name)!;
  return {
    map: list('map'),
    channels: list('channels') as unknown as [number, number],
    windows: {
      kernel: list('kernel'),
      strides: list('strides'),
      dilations: list('dilations'),
      before: list('before'),
      after: list('after'),
    },
  };
};

/** dW = patches^T dy, db = sum dy, and dx in the cheaper of its two forms. */
export const patchProductRule: Surrogate = {
  match: { op },
  label: 'patch product',
  rule: ([dy], node, { g, active }) => {
    if (dy === undefined) return [];
    const [, patches, matrix] = node.inputs as [string, string, string];
    const c = convolutionOf(node);
    return [
      active(0) ? (prefersGather(c) ? throughGathered(g, dy, matrix, c) : throughColumns(g, dy, matrix, c)) : undefined,
      undefined,
      active(2) ? g.op('Gemm', [patches, dy], { transA: 1 }) : undefined,
      active(3) ? sumOfRows(g, dy, sizeOf(windowsOver(c.windows, c.map)), c.channels[1]) : undefined,
    ];
  },
};

/**
 * Gathering dy reads it once per tap and needs the weights turned round, which for many channels on a small map costs more than the product itself
 * (512 channels at 2 x 2: 2.8 of 6 ms). With strides most of what would be gathered are zeros.
 */
const prefersGather = ({ windows, channels: [inside, out] }: Convolution): boolean =>
  windows.strides.every((s) => s === 1) && inside * out <= 2 ** 15;

/** dx[p] = sum over taps of dy at the window that has p under that tap, times the tap's weights: a convolution of dy. */
function throughGathered(
  g: GraphBuilder,
  dy: string,
  matrix: string,
  { windows, map, channels: [inside, out] }: Convolution,
): string {
  const count = windowsOver(windows, map);
  const [taps, positions] = [sizeOf(windows.kernel), sizeOf(map)];
  const list = tapsOf(windows, map);
  const at = new Int32Array(positions * taps).fill(-1);
  list.forEach((p, i) => {
    if (p >= 0) at[p * taps + (i % taps)] = Math.floor(i / taps);
  });
  const under = twoAxes(g, gathered(g, threeAxes(g, dy, sizeOf(count), out), at, sizeOf(count)), taps * out);
  const turned = g.op('Transpose', [g.op('Reshape', [matrix, g.ints([taps, inside, out])])], { perm: [0, 2, 1] });
  const dx = g.op('Gemm', [under, g.op('Reshape', [turned, g.ints([taps * out, inside])])]);
  return threeAxes(g, dx, positions, inside);
}

/** What dy gives every tap, then for each position the sum of what belongs to it. Where a row of zeros is needed, dy gets it: there it is smallest. */
function throughColumns(
  g: GraphBuilder,
  dy: string,
  matrix: string,
  { windows, map, channels: [inside, out] }: Convolution,
): string {
  const [positions, count, taps] = [sizeOf(map), sizeOf(windowsOver(windows, map)), sizeOf(windows.kernel)];
  const { places, most } = placesOf(tapsOf(windows, map), positions);
  const zero = places.includes(-1);
  const given = zero ? twoAxes(g, withZeroRow(g, threeAxes(g, dy, count, out)), out) : dy;
  const columns = threeAxes(g, g.op('Gemm', [given, matrix], { transB: 1 }), (zero ? count + 1 : count) * taps, inside);
  const own = gatheredFrom(g, columns, places, count * taps);
  if (most === 1) return own;
  return g.op('ReduceSum', [g.op('Reshape', [own, g.ints([-1, positions, most, inside])]), g.ints([2])], { keepdims: 0 });
}
