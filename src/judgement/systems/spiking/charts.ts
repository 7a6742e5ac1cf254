/** @file What charts of the parts have in common: budgets as they are written, shares with their intervals, and how many lines can be told apart. */
import { wilson } from '../../../kit/metrics/rates.ts';
import type { ChartMark, ChartPoint } from '../../chapter.ts';

/** A budget in steps of an 8-bit value. */
export const levels = (eps: number): number => Number((255 * eps).toPrecision(3));

/** A tick at a budget, in the units of `levels`. */
export const levelTick = (eps: number): ChartMark => ({ x: levels(eps), label: `${levels(eps)}/255` });

/** A share of n with its Wilson 95 % interval. */
export function countedPoint(x: number, counted: number, n: number): ChartPoint {
  const [lower, upper] = wilson(counted, n);
  return { x, share: counted / n, lower, upper };
}

/** Lines that stand out neither way and can be told apart by colour alone. */
const most = 6;

export interface Legible<T> {
  readonly drawn: readonly T[];
  readonly left: readonly T[];
}

/** As many of them as can be told apart: those of the highest rank over all victims, so that charts side by side show the same, in the order given; and what is left out. */
export function legible<T>(all: readonly T[], rank: (one: T) => number): Legible<T> {
  const kept = new Set([...all].sort((a, b) => rank(b) - rank(a)).slice(0, most));
  return { drawn: all.filter((one) => kept.has(one)), left: all.filter((one) => !kept.has(one)) };
}

/** A sentence about lines that are not there, with a space before it; nothing where all are. */
export const leftOut = (names: readonly string[], why: string): string =>
  names.length === 0 ? '' : ` Not drawn, ${why}: ${names.join(', ')}.`;
