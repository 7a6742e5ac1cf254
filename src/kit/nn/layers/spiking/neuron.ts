/** @file Neurons over time, written out step by step: what a potential keeps, when it fires, and what that does to it. */
import type { Layer, Net } from '../../net.ts';
import { fired } from './spike.ts';

/**
 * lif: leaky integrate-and-fire; if: without the leak; alif: lif whose threshold rises with every spike and sinks again (Bellec et al. 2018, arXiv 1803.09574);
 * cuba: lif whose input flows through a leaky synapse first.
 */
export const neuronKinds = ['lif', 'if', 'alif', 'cuba'] as const;
export type NeuronKind = (typeof neuronKinds)[number];

export interface NeuronOptions {
  readonly kind?: NeuronKind;
  /** Moments in which a potential sinks to 1 / e (roughly): it keeps 1 - 1 / tau of what it is above `rest`. At least 1. */
  readonly tau?: number;
  /** Whether the input is divided by tau too. */
  readonly decayInput?: boolean;
  readonly threshold?: number;
  /** What a spike does to the potential: 'hard' sets it to `rest`, 'soft' takes the threshold away. */
  readonly reset?: 'hard' | 'soft';
  /** What a potential sinks to, and a hard reset leaves (v_reset). Must be 0 where the reset is soft. */
  readonly rest?: number;
  /** Whether derivatives pass through what a reset does; detached, its comparison is another one, which has none. */
  readonly resetGradient?: 'detach' | 'through';
  /** Potential before the first moment. */
  readonly start?: number;
  /** alif: how far spikes raise the threshold, and the moments in which that sinks to 1 / e. */
  readonly beta?: number;
  readonly tauAdaptation?: number;
  /** cuba: moments in which a current through the synapse sinks to 1 / e. At least 1. */
  readonly tauSynapse?: number;
}

export const neuronDefaults = {
  kind: 'lif',
  tau: 2,
  decayInput: true,
  threshold: 1,
  reset: 'hard',
  rest: 0,
  resetGradient: 'detach',
  start: 0,
  beta: 1.8,
  tauAdaptation: 20,
  tauSynapse: 2,
} as const satisfies Required<NeuronOptions>;

type Settings = Required<NeuronOptions>;

/**
 * Neurons over time: currents x [N, T, ...] to spikes [N, T, ...]. Per moment, with k = 1 - 1 / tau (1 for `if`) and I the current (divided by tau with
 * `decayInput`): v <- k v + (1 - k) rest + I; s = [v >= theta]; then v <- v (1 - s) + rest s, or v - theta s. alif: theta = threshold + beta a with
 * a <- rho a + (1 - rho) s and rho = exp(-1 / tauAdaptation), a 0 at first. cuba: i <- (1 - 1 / tauSynapse) i + x is the current.
 */
export const neuron =
  (options: NeuronOptions = {}): Layer =>
  (net, x) => {
    const settings: Settings = { ...neuronDefaults, ...options };
    refuse(settings);
    const { kind, threshold, start } = settings;
    const { g } = net;
    const [moments] = x.shape as [number, ...number[]];
    const rho = Math.exp(-1 / settings.tauAdaptation);
    const outputs: string[] = [];
    let before: string | undefined;
    let adaptation: string | undefined;
    for (const [t, current] of currents(net, x.name, moments, settings).entries()) {
      const first = start === 0 ? current : g.op('Add', [current, g.number(kept(settings) * start)]);
      const v = before === undefined ? first : g.op('Add', [weighed(net, before, kept(settings)), current]);
      const theta = adaptation === undefined ? g.number(threshold) : raised(net, adaptation, settings);
      const s = fired(net, v, theta, 'spike');
      outputs.push(s);
      if (t === moments - 1) break;
      before = after(net, v, theta, settings.resetGradient === 'through' ? s : fired(net, v, theta, 'reset'), settings);
      if (kind === 'alif') {
        const risen = g.op('Mul', [s, g.number(1 - rho)]);
        adaptation = adaptation === undefined ? risen : g.op('Add', [g.op('Mul', [adaptation, g.number(rho)]), risen]);
      }
    }
    return { name: moments === 1 ? outputs[0]! : g.op('Concat', outputs, { axis: 1 }), shape: x.shape };
  };

/** Share of a potential that is left after a moment. */
const kept = ({ kind, tau }: Settings): number => (kind === 'if' ? 1 : 1 - 1 / tau);

/** What is added to the potential at each moment, [N, 1, ...] each. */
function currents(net: Net, x: string, moments: number, settings: Settings): string[] {
  const { kind, tau, decayInput, rest, tauSynapse } = settings;
  const { g } = net;
  const gain = decayInput && kind !== 'if' ? 1 / tau : 1;
  const drift = (1 - kept(settings)) * rest;
  const split = (value: string): string[] =>
    moments === 1 ? [value] : g.ops('Split', [value], moments, { axis: 1, num_outputs: moments });
  const whole = weighed(net, x, gain);
  if (kind !== 'cuba') return split(drift === 0 ? whole : g.op('Add', [whole, g.number(drift)]));
  let flowing: string | undefined;
  return split(whole).map((arriving) => {
    flowing = flowing === undefined ? arriving : g.op('Add', [g.op('Mul', [flowing, g.number(1 - 1 / tauSynapse)]), arriving]);
    return drift === 0 ? flowing : g.op('Add', [flowing, g.number(drift)]);
  });
}

const weighed = ({ g }: Net, value: string, weight: number): string =>
  weight === 1 ? value : g.op('Mul', [value, g.number(weight)]);

const raised = ({ g }: Net, adaptation: string, { threshold, beta }: Settings): string =>
  g.op('Add', [g.op('Mul', [adaptation, g.number(beta)]), g.number(threshold)]);

/** What is left of the potential where s is 1 for those that fired. */
function after(net: Net, v: string, theta: string, s: string, { kind, threshold, reset, rest }: Settings): string {
  const { g } = net;
  if (reset === 'soft') return g.op('Sub', [v, kind === 'alif' ? g.op('Mul', [s, theta]) : weighed(net, s, threshold)]);
  const silent = g.op('Mul', [v, g.op('Sub', [g.number(1), s])]);
  return rest === 0 ? silent : g.op('Add', [silent, g.op('Mul', [s, g.number(rest)])]);
}

function refuse({ tau, tauSynapse, tauAdaptation, reset, rest }: Settings): void {
  if (!(tau >= 1)) throw new Error(`tau is ${tau}, and must be at least 1`);
  if (!(tauSynapse >= 1)) throw new Error(`tauSynapse is ${tauSynapse}, and must be at least 1`);
  if (!(tauAdaptation > 0)) throw new Error(`tauAdaptation is ${tauAdaptation}, and must be above 0`);
  if (reset === 'soft' && rest !== 0) throw new Error(`a soft reset leaves no rest, and rest is ${rest}`);
}
