/** @file What APGD decides for one input of a sample: where to start, how to step, and when to step shorter or go back to the best point. */
import type { Stream } from '../../core/tensor/random.ts';
import type { Part } from './frame/space.ts';

/** One point later: its loss, that of the point before it, and the best point so far. */
export interface News {
  readonly loss: number;
  readonly before: number;
  readonly best: number;
  /** This input's part of the best point. */
  readonly bestAt: Float32Array;
}

export interface Pacer {
  /** Begins a walk of its own at the allowed change nearest to u, which it returns. */
  enter(u: Float32Array): Float32Array;
  /** Writes the next change, from this one and the one before it; the first step has no momentum. */
  move(next: Float32Array, u: Float32Array, before: Float32Array, gradient: Float32Array, first: boolean): void;
  /** Whether the walk is to go back to its best point. */
  hear(news: News): boolean;
}

export interface Pacing {
  readonly steps: number;
  /** Least share of steps that must raise the loss for the step length to stay. */
  readonly rho: number;
  /** The budget of this walk over the threat's. */
  readonly grown: number;
}

/** How the inputs of one norm start and move. */
export interface Gait {
  /** A random change; enter() makes it an allowed one. */
  start(part: Part, stream: Stream): Float32Array;
  pacer(part: Part, pacing: Pacing): Pacer;
}
