/** @file What changes an input region by region: a painter owns its stretch of the point that is asked about, and can take its last change back. */
import type { Stream } from '../../../core/tensor/random.ts';
import type { Part } from '../frame/space.ts';
import { type Ends, endsOf } from './ends.ts';
import { type Field, fieldOf } from './field.ts';
import type { Region } from './region.ts';

export interface Painter {
  /** Elements it can change. */
  readonly free: number;
  /** Writes the first change. */
  begin(random: Stream): void;
  /** Changes a region of about `share` of the input; false where all of it stays as it was. Calls for `settle` before the next. */
  propose(share: number, random: Stream): boolean;
  /** Keeps the last proposal, or puts back what was there before. */
  settle(keep: boolean): void;
}

/** What painters of every kind work with: elements of one input, numbered from 0. */
export interface Canvas {
  readonly part: Part;
  readonly field: Field;
  readonly ends: Ends;
  /** The change asked about, part of the vector u. */
  readonly u: Float32Array;
  /** The change kept so far: u where nothing is proposed. */
  readonly kept: Float32Array;
  /** floor(U (size - side)) for the place of a box, as the original has it. */
  readonly short: boolean;
}

export const canvasOf = (part: Part, u: Float32Array, short: boolean): Canvas => {
  const stretch = u.subarray(part.from, part.to);
  return { part, field: fieldOf(part.threat.input), ends: endsOf(part), u: stretch, kept: stretch.slice(), short };
};

/** Copies the elements of a region. */
export function copyRegion(from: Float32Array, to: Float32Array, { columns, cells }: Pick<Region, 'columns' | 'cells'>): void {
  for (let a = 0; a < columns.length; a++) {
    const column = columns[a]!;
    for (let b = 0; b < cells.length; b++) to[column + cells[b]!] = from[column + cells[b]!]!;
  }
}

/** 1 or -1. */
export const coin = (random: Stream): number => (random.bits() & 1 ? 1 : -1);
