/** @file What recognition finds out about the spikes of a graph: comparisons that fire, grouped into layers and linked over time. */

/** One place where neurons fire: a Greater or GreaterOrEqual of potential and threshold whose result is cast to floats; other idioms have been rewritten to this form. */
export interface Spike {
  /** Name of the comparison; no other node has it. How far the potential is above the threshold is u = input 0 - input 1. */
  readonly node: string;
  /** Time step within the layer, from 0. */
  readonly step: number;
  /** reset: nothing but the layer's own reset reads it; a step whose output is read by both has two comparisons. */
  readonly role: 'output' | 'reset';
}

/** What happens to a potential that has fired. */
export type ResetKind = 'hard' | 'soft' | 'none' | 'unknown';

export interface SpikingLayer {
  readonly name: string;
  /** In order of steps; of one step the output comes first. */
  readonly spikes: readonly Spike[];
  readonly steps: number;
  /** 'adaptive' where the threshold is computed from earlier spikes. */
  readonly threshold: number | readonly number[] | 'adaptive';
  /** Whether a potential equal to the threshold stays silent. */
  readonly strict: boolean;
  readonly reset: ResetKind;
  /** Axes of what is compared; `time` only where one comparison holds all steps. Everything beside batch, channel and time is space. */
  readonly axes: { readonly batch: number; readonly channel: number; readonly time?: number };
  /** How many places a channel has at a step, 1 in a layer of plain features; absent where it is not known. */
  readonly space?: number;
  /** Per step: the float value that is 1 where a neuron fired. */
  readonly outputs: readonly string[];
  /** Per step: what flows in from outside the layer, which is added to what the layer remembers (step 0: the potential itself); absent where it cannot be told apart. */
  readonly currents?: readonly string[];
  /** Per step: what the current is multiplied by when it is added; absent where it is 1 throughout. */
  readonly gains?: readonly number[];
}

/** The spiking layers of a graph, from input to output. */
export interface Spiking {
  readonly layers: readonly SpikingLayer[];
  /** What was taken for granted, one sentence each. */
  readonly said: readonly string[];
}
