/** @file Rates as people read them. */

/** A fraction in percent with one decimal; never rounded up to 100% or down to 0%; a dash for a rate over nothing (NaN, null in JSON). */
export function percent(fraction: number | null): string {
  if (fraction === null || Number.isNaN(fraction)) return '—';
  const text = (100 * fraction).toFixed(1);
  if (text === '100.0') return fraction < 1 ? '>99.9%' : '100%';
  if (text === '0.0') return fraction > 0 ? '<0.1%' : '0%';
  return `${text}%`;
}

/** An interval of fractions in percent, e.g. "0–16.8%". */
export const interval = ([low, high]: readonly [number, number]): string => `${percent(low).replace('%', '')}–${percent(high)}`;
