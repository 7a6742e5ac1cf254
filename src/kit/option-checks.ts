/** @file Why the value of an option cannot be used: a complaint that begins with its name, or undefined. */
import type { OptionValue } from './options.ts';

/** The first complaint, if any. */
export const firstOf = (...complaints: readonly (string | undefined)[]): string | undefined =>
  complaints.find((complaint) => complaint !== undefined);

const unless = (holds: boolean, name: string, value: OptionValue, wanted: string): string | undefined =>
  holds ? undefined : `${name} is ${typeof value === 'string' ? `"${value}"` : value}, but must be ${wanted}`;

export const wholeFrom = (least: number, name: string, value: number): string | undefined =>
  unless(Number.isInteger(value) && value >= least, name, value, `a whole number of at least ${least}`);

export const notNegative = (name: string, value: number): string | undefined =>
  unless(value >= 0 && Number.isFinite(value), name, value, 'a number of at least 0');

export const positive = (name: string, value: number): string | undefined =>
  unless(value > 0 && Number.isFinite(value), name, value, 'a number above 0');

export const fraction = (name: string, value: number): string | undefined =>
  unless(value >= 0 && value <= 1, name, value, 'a share between 0 and 1');

export const belowOne = (name: string, value: number): string | undefined =>
  unless(value >= 0 && value < 1, name, value, 'at least 0 and below 1');

export const oneOf = (names: readonly string[], name: string, value: OptionValue): string | undefined =>
  unless(
    names.some((allowed) => allowed === value),
    name,
    value,
    `one of: ${names.join(', ')}`,
  );
