/**
 * @file Spiking neurons. A spike is a comparison, whose derivative is zero wherever it exists; in training a fixed function stands in for it, the
 * derivative of an arctangent (Fang et al. 2021, arXiv 2007.05785), declared as a surrogate like any other.
 */
import type { Surrogate } from '../../../core/autodiff/substitutes.ts';
import type { Layer, Net, Signal } from '../net.ts';

/** The name spikes of this alpha begin with, by which their surrogate finds them. */
const spikeName = (alpha: number): string => `spike_alpha${alpha}`;

/** dS/dv = (alpha / 2) / (1 + (pi / 2 alpha (v - threshold))^2), for the spikes written here with the same alpha. */
export const arctangent = (alpha: number = lifDefaults.alpha): Surrogate => ({
  match: { op: 'GreaterOrEqual', pattern: new RegExp(`(^|\\.)${spikeName(alpha).replaceAll('.', '\\.')}_\\d+$`) },
  label: `arctangent, alpha ${alpha}`,
  rule: ([ds], { inputs: [v, threshold] }, { g }) => {
    if (ds === undefined) return [];
    const angle = g.op('Mul', [g.op('Sub', [v!, threshold!]), g.number((Math.PI / 2) * alpha)]);
    const width = g.op('Add', [g.op('Mul', [angle, angle]), g.number(1)]);
    return [g.op('Div', [g.op('Mul', [ds, g.number(alpha / 2)]), width])];
  },
});

/** v [N, ...] to 1 where it has reached the threshold and 0 elsewhere (a potential equal to the threshold fires, as in SpikingJelly). */
export const spike =
  (threshold: number, alpha: number = lifDefaults.alpha): Layer =>
  (net, v) => {
    const { g } = net;
    const hint = net.scope === '' ? spikeName(alpha) : `${net.scope}.${spikeName(alpha)}`;
    const fired = g.op('GreaterOrEqual', [v.name, g.number(threshold)], {}, g.fresh(hint));
    return { name: g.op('Cast', [fired], { to: 1 }), shape: v.shape };
  };

export interface LifOptions {
  /** Moments in which a potential decays to 1 / e (roughly): v keeps 1 - 1 / tau of itself. At least 1. */
  readonly tau?: number;
  readonly threshold?: number;
  /** What a spike does to the potential: 'hard' sets it to 0, 'soft' takes the threshold away. */
  readonly reset?: 'hard' | 'soft';
  /** Steepness of the surrogate; the architecture has to name `arctangent(alpha)` among its surrogates. */
  readonly alpha?: number;
}

export const lifDefaults = { tau: 2, threshold: 1, reset: 'hard', alpha: 2 } as const;

/**
 * Leaky integrate-and-fire neurons over time: x [N, T, ...] to spikes [N, T, ...], the potential 0 at first: v <- v + (x - v) / tau, s = [v >= threshold],
 * then the reset. No derivative passes through the reset (it is detached: its comparison has no surrogate).
 */
export const lif =
  (options: LifOptions = {}): Layer =>
  (net, x) => {
    const { tau, threshold, reset, alpha } = { ...lifDefaults, ...options };
    if (!(tau >= 1)) throw new Error(`tau is ${tau}, and must be at least 1`);
    const { g } = net;
    const [moments, ...one] = x.shape as [number, ...number[]];
    const current = g.op('Mul', [x.name, g.number(1 / tau)]);
    const parts = moments === 1 ? [current] : g.ops('Split', [current], moments, { axis: 1, num_outputs: moments });
    const spikes: string[] = [];
    let rest: string | undefined;
    for (const [t, part] of parts.entries()) {
      const v: Signal = {
        name: rest === undefined ? part : g.op('Add', [g.op('Mul', [rest, g.number(1 - 1 / tau)]), part]),
        shape: [1, ...one],
      };
      spikes.push(spike(threshold, alpha)(net, v).name);
      if (t < moments - 1) rest = resetOf(net, v.name, threshold, reset);
    }
    return { name: moments === 1 ? spikes[0]! : g.op('Concat', spikes, { axis: 1 }), shape: x.shape };
  };

function resetOf({ g }: Net, v: string, threshold: number, reset: 'hard' | 'soft'): string {
  const fired = g.op('GreaterOrEqual', [v, g.number(threshold)], {}, g.fresh('reset'));
  return g.op('Where', [fired, reset === 'hard' ? g.number(0) : g.op('Sub', [v, g.number(threshold)]), v]);
}
