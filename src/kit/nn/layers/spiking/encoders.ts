/** @file How a still input becomes spikes or currents over time; values in 0..1 for the two codes. */
import type { Layer } from '../../net.ts';
import { fired } from './spike.ts';

/** The same at every step: x [N, ...] to [N, steps, ...]. */
export const repeated =
  (steps: number): Layer =>
  ({ g }, x) => {
    const one = g.op('Unsqueeze', [x.name, g.ints([1])]);
    return { name: g.op('Expand', [one, g.ints([1, steps, ...x.shape.map(() => 1)])]), shape: [steps, ...x.shape] };
  };

/**
 * Spikes drawn at every step and place with probability x: [x >= u], u uniform in [0, 1) and fed per sample. Backwards the draw counts as its probability
 * (`codes`).
 */
export const poissonCode =
  (steps: number): Layer =>
  (net, x) => {
    const all = repeated(steps)(net, x);
    return { name: fired(net, all.name, net.noise(all.shape, 'uniform'), 'code'), shape: all.shape };
  };

/**
 * One spike at step round((steps - 1) (1 - x)), halves upwards, and none where x is 0: the brighter, the earlier. Written as the steps by which a value has
 * spoken, x > 1 - (t + 1/2) / (steps - 1) and x > 0 at last, of which the spikes are the differences; so brighter values pull spikes forward through the
 * surrogate of these comparisons.
 */
export const latencyCode =
  (steps: number): Layer =>
  (net, x) => {
    const { g } = net;
    const value = g.op('Neg', [g.op('Unsqueeze', [x.name, g.ints([1])])]);
    const bars = Array.from({ length: steps }, (_, t) => (t === steps - 1 ? 0 : 1 - (t + 0.5) / (steps - 1)));
    // x > b is not (-x >= -b): comparisons here fire on equality
    const spoken = bars.map((bar) => g.op('Sub', [g.number(1), fired(net, value, g.number(-bar), 'spike')]));
    const parts = spoken.map((now, t) => (t === 0 ? now : g.op('Sub', [now, spoken[t - 1]!])));
    return { name: steps === 1 ? parts[0]! : g.op('Concat', parts, { axis: 1 }), shape: [steps, ...x.shape] };
  };

export const encoderKinds = ['direct', 'poisson', 'latency'] as const;
export type EncoderKind = (typeof encoderKinds)[number];
