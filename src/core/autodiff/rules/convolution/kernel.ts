/** @file Weights of convolutions rearranged: when the gradient is written where they are constant, at run time otherwise. */
import { sizeOf } from '../../../tensor/tensor.ts';
import type { Scene } from '../../rule.ts';
import { derived, rearranged } from '../constants.ts';
import { reshapeTo, type Size, sizesOf } from '../sizes.ts';

/** Weights [M, C/group, k...] as [C, M/group, k...], flipped along every spatial axis. */
export function flipped(scene: Scene, w: string, group: number): string {
  return derived(
    scene,
    w,
    `flipped${group}`,
    (value) => {
      const [m, c, ...kernel] = value.dims as [number, number, ...number[]];
      const [area, perGroup] = [sizeOf(kernel), m / group];
      // flipping every axis of a row-major block reverses it
      return rearranged(value, [c * group, perGroup, ...kernel], (index) => {
        const tap = index % area;
        const rest = (index - tap) / area;
        const to = rest % perGroup;
        const from = (rest - to) / perGroup;
        const [set, channel] = [Math.floor(from / c), from % c];
        return ((set * perGroup + to) * c + channel) * area + area - 1 - tap;
      });
    },
    () => flippedAtRunTime(scene, w, group),
  );
}

function flippedAtRunTime(scene: Scene, w: string, group: number): string {
  const { g } = scene;
  const [m, c, ...kernel] = sizesOf(scene, w);
  const axes = kernel.map((_, i) => i + 2);
  const exchange = (value: string): string => {
    if (group === 1) return g.op('Transpose', [value], { perm: [1, 0, ...axes] });
    const split = reshapeTo(scene, value, [group, times(m!, 1 / group), c!, ...kernel]);
    const exchanged = g.op('Transpose', [split], { perm: [0, 2, 1, ...axes.map((a) => a + 1)] });
    return reshapeTo(scene, exchanged, [times(c!, group), times(m!, 1 / group), ...kernel]);
  };
  const turned = axes.filter((_, i) => kernel[i] !== 1);
  if (turned.length === 0) return exchange(w);
  const list = (value: number): string => g.ints(turned.map(() => value));
  return g.op('Slice', [exchange(w), list(-1), list(-(2 ** 31)), g.ints(turned), list(-1)]);
}

const times = (size: Size, factor: number): number => {
  if (typeof size !== 'number') throw new Error('the channels of a convolution depend on the batch');
  return Math.round(size * factor);
};

/** Weights [M, C, k] as [M, C, 1, k]. */
export const withUnitAxis = (scene: Scene, w: string): string =>
  derived(
    scene,
    w,
    'row',
    (value) => rearranged(value, [...value.dims.slice(0, 2), 1, ...value.dims.slice(2)], (i) => i),
    () => scene.g.op('Unsqueeze', [w, scene.g.ints([2])]),
  );
