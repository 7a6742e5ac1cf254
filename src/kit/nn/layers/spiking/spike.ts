/**
 * @file Comparisons that fire. Each is one GreaterOrEqual and one Cast, as a deployed network has it: nothing in the graph tells how it was trained. What stands
 * in for their derivatives is declared beside the network, and finds them by name.
 */
import { type Match, type Surrogate, straightThrough } from '../../../../core/autodiff/substitutes.ts';
import type { Layer, Net } from '../../net.ts';

/** spike: a neuron's output; reset: what the neuron does to itself, without derivative; code: an input that becomes spikes by drawing. */
export type Role = 'spike' | 'reset' | 'code';

/** The comparisons of a role, wherever in a network. */
const comparisons = (role: Role): Match => ({ op: 'GreaterOrEqual', pattern: new RegExp(`(^|\\.)${role}_\\d+$`) });

/** The spikes of neurons, and of codes by latency: what a surrogate of training stands in for. */
export const spikes: Match = comparisons('spike');

/** Poisson codes: the derivative of a draw is taken to be that of its probability (Bengio et al. 2013, arXiv 1308.3432). */
export const codes: Surrogate = straightThrough(comparisons('code'));

/** 1 where `value` has reached `bar` (equality fires, as in SpikingJelly), and 0 elsewhere. */
export function fired({ g, scope }: Net, value: string, bar: string, role: Role): string {
  const comparison = g.op('GreaterOrEqual', [value, bar], {}, g.fresh(scope === '' ? role : `${scope}.${role}`));
  return g.op('Cast', [comparison], { to: 1 });
}

/** v [N, ...] to 1 where it has reached the threshold and 0 elsewhere. */
export const spike =
  (threshold: number): Layer =>
  (net, v) => ({ name: fired(net, v.name, net.g.number(threshold), 'spike'), shape: v.shape });
