/** @file Dropout (Srivastava et al. 2014), fed with random numbers from outside: the same step with the same numbers is the same step. */
import type { Layer } from '../net.ts';

export interface DropoutOptions {
  /** Axes of a sample, from 0, along which all elements share their fate (time, or the places of a channel). */
  readonly shared?: readonly number[];
}

/**
 * In training every element is dropped with probability p and the others are divided by 1 - p: kept where a uniform number is at least p. In inference
 * nothing is done. Throws when p is not in 0 <= p < 1.
 */
export const dropout =
  (p: number, { shared = [] }: DropoutOptions = {}): Layer =>
  (net, x) => {
    if (!(p >= 0 && p < 1)) throw new Error(`a share of ${p} cannot be dropped: it must be at least 0 and below 1`);
    if (net.mode === 'inference' || p === 0) return x;
    const { g } = net;
    const noise = net.noise(
      x.shape.map((n, axis) => (shared.includes(axis) ? 1 : n)),
      'uniform',
    );
    const kept = g.op('Cast', [g.op('GreaterOrEqual', [noise, g.number(p)])], { to: 1 });
    return { name: g.op('Mul', [x.name, g.op('Mul', [kept, g.number(1 / (1 - p))])]), shape: x.shape };
  };
