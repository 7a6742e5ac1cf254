/** @file What an attacker may do to one input: the only way an attack touches a budget. */
import type { Stream } from '../../core/tensor/random.ts';
import type { InputSpec } from '../model/model.ts';

export type Norm = 'linf' | 'l2' | 'l1' | 'l0';

/** The budget around one sample's input: made for that sample, so mask and bounds are already in it. Arrays are never changed in place. */
export interface Threat {
  readonly norm: Norm;
  readonly eps: number;
  /** What the input is: attacks that move regions read its axes here. */
  readonly input: InputSpec;
  /** The model's bounds of every element, infinite where there are none. */
  readonly box: { readonly lower: Float32Array; readonly upper: Float32Array };
  /** Of every element, where there is one. */
  readonly scale?: Float64Array;
  /** 1 where the input may change, 0 elsewhere. */
  readonly mask?: Float32Array;
  /** The same threat with another eps. */
  at(eps: number): Threat;
  /** The norm of a perturbation, in units of the scale where there is one. */
  size(delta: Float32Array): number;
  /** The perturbation nearest to `delta` that is inside the mask and the budget and keeps x + delta inside the model's bounds: ball then box (L1: their exact intersection). */
  project(x: Float32Array, delta: Float32Array): Float32Array;
  /** The change of length alpha that raises the loss fastest to first order: alpha sign(g), alpha g / |g|, or the largest coordinate; zeros for a zero gradient. */
  step(gradient: Float32Array, alpha: number): Float32Array;
  /** project(x, delta + step(gradient, alpha)), bit for bit, in fewer walks over memory where that is possible. */
  advance(x: Float32Array, delta: Float32Array, gradient: Float32Array, alpha: number): Float32Array;
  /** The least and the largest change of every element inside mask, bounds and, of linf, eps: each float32 between them keeps x + delta inside, whatever the others do. */
  ends(x: Float32Array): { readonly low: Float32Array; readonly high: Float32Array };
  /** A perturbation drawn uniformly from the ball (before bounds: project it). */
  random(stream: Stream): Float32Array;
}

/** What a threat is made from; `scale` and `mask` have the input's shape, or one value per channel for `scale`. */
export interface ThreatOptions {
  readonly norm: Norm;
  readonly eps: number;
  readonly scale?: Float32Array;
  readonly mask?: Float32Array;
}
