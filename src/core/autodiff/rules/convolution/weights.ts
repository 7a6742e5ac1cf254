/**
 * @file Derivative of a convolution with respect to its weights,
 *   dw[m, c, k] = sum_(n, o) taps[n, m, o] image[n, c, s o + d k - p],
 * itself a convolution in which batch and channel change places and stride and dilation too: image as [C, N, i], taps as its weights [M, N, o].
 * For Conv the image is x and the taps are dy; for ConvTranspose the image is dy and the taps are x.
 */
import type { Scene } from '../../rule.ts';
import { sizesOf } from '../sizes.ts';
import type { Windows } from '../window.ts';
import { crop } from './input.ts';

interface WeightGradient {
  readonly image: string;
  /** The value of the forward graph that has the image's sizes. */
  readonly imageSizes: string;
  readonly taps: string;
  readonly group: number;
  readonly windows: Windows;
}

export function weightGradient(scene: Scene, { image, imageSizes, taps, group, windows }: WeightGradient): string {
  const { g } = scene;
  const axes = windows.kernel.map((_, i) => i + 2);
  const cropped = crop(scene, image, windows.padsBegin, windows.padsEnd);
  const exchanged = g.op(
    'Conv',
    [channelsFirst(scene, cropped, imageSizes, group), g.op('Transpose', [taps], { perm: [1, 0, ...axes] })],
    {
      strides: windows.dilations,
      dilations: windows.strides,
      pads: [...windows.padsBegin, ...windows.padsEnd].map((p) => Math.max(p, 0)),
      group,
    },
  );
  const all = g.op('Transpose', [exchanged], { perm: [1, 0, ...axes] });
  // strides that did not cover the image leave offsets beyond the kernel
  return g.op('Slice', [all, g.ints(axes.map(() => 0)), g.ints(windows.kernel), g.ints(axes)]);
}

/** [N, group C, ...] as [C, group N, ...]: what a grouped convolution reads when batch and channel change places. */
function channelsFirst(scene: Scene, image: string, sizes: string, group: number): string {
  const { g } = scene;
  const spatial = scene
    .dims(sizes)
    .slice(2)
    .map((_, i) => i);
  if (group === 1) return g.op('Transpose', [image], { perm: [1, 0, ...spatial.map((i) => i + 2)] });
  const channels = sizesOf(scene, sizes)[1];
  if (typeof channels !== 'number') throw new Error('the channels of a convolution depend on the batch');
  const split = g.op('Reshape', [image, headed(scene, image, [0, group, channels / group])]);
  const turned = g.op('Transpose', [split], { perm: [2, 1, 0, ...spatial.map((i) => i + 3)] });
  return g.op('Reshape', [turned, headed(scene, image, [channels / group, -1])]);
}

/** The shape of `image` with its first two sizes replaced. */
const headed = ({ g }: Scene, image: string, head: readonly number[]): string =>
  g.op('Concat', [g.ints(head), g.op('Shape', [image], { start: 2 })], { axis: 0 });
