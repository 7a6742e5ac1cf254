/** @file Where in time a moment lies, added to x [N, T, E]. */
import { f32 } from '../../../core/tensor/tensor.ts';
import { truncatedNormal } from '../initialisers.ts';
import type { Layer } from '../net.ts';

/** A learned vector per moment: `positions` [T, E]. */
export const learnedPositions: Layer = (net, x) => ({
  name: net.g.op('Add', [x.name, net.parameter('positions', x.shape, truncatedNormal(0.02))]),
  shape: x.shape,
});

/** Sines (even places) and cosines (odd ones) of t / 10000^(2 i / E), the wave i (Vaswani et al. 2017, section 3.5). */
export const sinusoidalPositions: Layer = ({ g }, x) => {
  const [moments, width] = x.shape as [number, number];
  const values = Float32Array.from({ length: moments * width }, (_, k) => {
    const [t, place] = [Math.floor(k / width), k % width];
    const angle = t / 10000 ** ((place - (place % 2)) / width);
    return place % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return { name: g.op('Add', [x.name, g.constant(f32(values, [moments, width]))]), shape: x.shape };
};
