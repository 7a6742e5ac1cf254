/** @file Axes of charts: where a value stands, and what is written beside it. */
import { number } from './format.ts';
import type { Tick } from './plot.ts';

/** Of any number of values, which Math.max(...values) is not for. */
export const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

export interface Axis {
  /** 0..1 for values of the axis. */
  readonly place: (value: number) => number;
  readonly ticks: readonly Tick[];
}

/** Ticks at 1, 2 or 5 times a power of ten: the first at or above `low`, at most `most` of them. */
export function niceTicks(low: number, high: number, most: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = power * ([1, 2, 5, 10].find((m) => span / (power * m) <= most) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** An axis from low to high; ticks at round numbers. */
export function linearAxis(low: number, high: number, text: (value: number) => string = number): Axis {
  const place = (value: number): number => (value - low) / (high - low || 1);
  return { place, ticks: niceTicks(low, high, 5).map((value) => ({ at: place(value), label: text(value) })) };
}

/** A logarithmic axis from low > 0 to high, values below low standing at it; ticks at powers of ten, and between them where there are few. */
export function logAxis(low: number, high: number): Axis {
  const [start, end] = [Math.log10(low), Math.log10(Math.max(high, 2 * low))];
  const place = (value: number): number => (Math.log10(Math.max(value, low)) - start) / (end - start);
  const span = end - start;
  const steps = span > 3 ? [1] : span > 1.3 ? [1, 3] : [1, 2, 5];
  const first = Math.floor(start);
  const values = Array.from({ length: Math.floor(end) - first + 1 }, (_, k) => first + k).flatMap((power) =>
    steps.map((step) => Number(`${step}e${power}`)),
  );
  const shown = values.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  return { place, ticks: shown.map((value) => ({ at: place(value), label: number(value) })) };
}
