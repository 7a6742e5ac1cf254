/**
 * @file Conv and ConvTranspose.
 *
 * A convolution with window offsets k, stride s, dilation d and pad p (per axis; p the pad at the start, P at the end) is
 *   y[m, o] = b[m] + sum_(c, k) w[m, c, k] x[c, s o + d k - p].
 * Writing i = s o + d k - p, the sum that collects everything x[c, i] contributed to is
 *   dx[c, i] = sum_(m, k) w[m, c, k] dy[m, o]   over the (o, k) with s o + d k - p = i,
 * which is ConvTranspose with the same weights, stride, dilation and pads. Its size is s (n_o - 1) + d (K - 1) + 1 - p - P, which falls short of
 * x's size by (n_i + p + P - d (K - 1) - 1) mod s, the steps left over when n_o was rounded down: that is the output padding.
 * At s = 1, with k' = K - 1 - k, the condition reads o = i + d k' - (d (K - 1) - p): a convolution of dy with flipped weights, m and c exchanged,
 * and pads d (K - 1) - p and d (K - 1) - P. It is the same sum, and many times faster: 9.6 against 14.5 ms in 2-D, 5 against 72 ms in 3-D. Negative pads crop dy.
 * At s > 1 the same convolution applies to dy with s - 1 zeros between its elements.
 *
 * ConvTranspose is the transposed map, so its derivative with respect to x is the convolution itself.
 * The weights' derivative is in weights.ts.
 */
import { intOf, intsOf, type Node } from '../../../onnx/graph.ts';
import type { Family, Scene } from '../../rule.ts';
import { inputOf } from '../sizes.ts';
import { reach, type Windows, windowsOf } from '../window.ts';
import { correlate, transposeConv } from './input.ts';
import { weightGradient } from './weights.ts';

type Op = 'Conv' | 'ConvTranspose';

export const convolution: Family<Op> = {
  Conv: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, w] = [inputOf(node, 0), inputOf(node, 1)];
    const group = intOf(node, 'group', 1);
    const windows = windowsOf(node, kernelOf(scene, w));
    return [
      scene.active(0) ? transposeConv(scene, { dy, like: x, y: node.outputs[0]!, w, group, windows }) : undefined,
      scene.active(1) ? weightGradient(scene, { image: x, imageSizes: x, taps: dy, group, windows }) : undefined,
      scene.active(2) ? biasGradient(scene, dy, windows.rank) : undefined,
    ];
  },

  ConvTranspose: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, w, y] = [inputOf(node, 0), inputOf(node, 1), node.outputs[0]!];
    const group = intOf(node, 'group', 1);
    const windows = transposedWindows(scene, node, x, y, w);
    return [
      scene.active(0) ? correlate(scene, { value: dy, w, group, windows }) : undefined,
      scene.active(1) ? weightGradient(scene, { image: dy, imageSizes: y, taps: x, group, windows }) : undefined,
      scene.active(2) ? biasGradient(scene, dy, windows.rank) : undefined,
    ];
  },
};

const biasGradient = ({ g }: Scene, dy: string, rank: number): string =>
  g.op('ReduceSum', [dy, g.ints([0, ...Array.from({ length: rank }, (_, i) => i + 2)])], { keepdims: 0 });

function kernelOf({ dims }: Scene, w: string): number[] {
  return dims(w)
    .slice(2)
    .map((k) => {
      if (k === null) throw new Error(`the kernel of the weights "${w}" depends on the batch`);
      return k;
    });
}

/** The windows of the convolution whose transpose the node is; a negative end pad stands for output padding. */
function transposedWindows(scene: Scene, node: Node, x: string, y: string, w: string): Windows {
  const windows = windowsOf(node, kernelOf(scene, w));
  const outputShape = intsOf(node, 'output_shape');
  const outputPadding = intsOf(node, 'output_padding', new Array<number>(windows.rank).fill(0));
  if (outputShape === undefined) return { ...windows, padsEnd: windows.padsEnd.map((p, i) => p - outputPadding[i]!) };
  const [sizesX, sizesY] = [scene.dims(x).slice(2), scene.dims(y).slice(2)];
  const far = reach(windows);
  const total = sizesY.map((out, i) => {
    const count = sizesX[i];
    if (out === null || typeof count !== 'number')
      throw new Error(`${node.op} "${node.name}": output_shape with a size that depends on the batch`);
    return windows.strides[i]! * (count - 1) + far[i]! + 1 - out;
  });
  // ONNX splits the pads it derives from output_shape with the larger half first
  const begin = total.map((t, i) => Math.ceil(Math.max(0, t + outputPadding[i]!) / 2));
  return { ...windows, padsBegin: begin, padsEnd: total.map((t, i) => t - begin[i]!) };
}
