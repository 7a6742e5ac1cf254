/** @file What comparisons with peers measure, for docs/CONFORMANCE.md: written down where PROVOKE_MEASURED names a file. */
import { appendFileSync } from 'node:fs';

export interface Measurement {
  readonly attack: string;
  /** With its version or commit. */
  readonly peer: string;
  /** What is compared: of how many samples, where, in which mode. */
  readonly what: string;
  /** The number itself, or what both found. Of several numbers under one name the largest counts. */
  readonly value: number | string;
  /** What the test allows. */
  readonly allowed: string;
}

/** Writes a measurement down and gives its value back: `expect(measured({ ..., value })).toBeLessThan(1e-5)`. */
export function measured<T extends number | string>(measurement: Measurement & { readonly value: T }): T {
  const file = process.env.PROVOKE_MEASURED;
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify(measurement)}\n`);
  return measurement.value;
}

/** From the smallest to the largest, e.g. of several seeds. */
export const spread = (all: readonly number[]): string => {
  const [low, high] = [Math.min(...all), Math.max(...all)].map((v) => (Number.isInteger(v) ? `${v}` : v.toPrecision(3)));
  return low === high ? low! : `${low} .. ${high}`;
};
