/** @file What is known of values that depend on the input of a model, and of those that do not. */
import type { Graph } from '../../graph.ts';
import type { KnownDim } from '../shapes.ts';
import { type Axes, timeAxisOf } from './axes.ts';

/** A value that depends on the input. */
export interface Timed {
  /** Per position in time the last step it depends on, never falling; a value without axes is one position. -1: on none. */
  readonly last: readonly number[];
  /** Where the positions are, if there is more than one. */
  readonly axes?: Axes;
}

/** What rules may ask about the values met so far. */
export interface Scene {
  readonly graph: Graph;
  timed(name: string): Timed | undefined;
  dims(name: string): readonly KnownDim[] | undefined;
  /** The axes of any value; undefined where they cannot be told. */
  axes(name: string): Axes | undefined;
  /** Numbers of a constant of whole numbers. */
  whole(name: string | undefined): readonly number[] | undefined;
}

export interface Spread {
  /** The axis that holds the time. */
  readonly axis: number;
  readonly axes: Axes;
  /** Positions in time. */
  readonly count: number;
}

/** Where the positions of a value are; undefined for a value that is one position. */
export function spreadOf(timed: Timed | undefined): Spread | undefined {
  if (timed?.axes === undefined) return undefined;
  return { axis: timeAxisOf(timed.axes), axes: timed.axes, count: timed.last.length };
}

/** An axis counted from the end, as from the start. */
export const fromStart = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
