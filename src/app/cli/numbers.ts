/** @file Numbers given on the command line, with errors that name the option. */
import { UserError } from '../../core/errors.ts';

export function positiveInteger(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError(`${option}: "${text}" is not a positive whole number`, `for example ${option} 2`);
}

export function naturalNumber(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UserError(`${option}: "${text}" is not a whole number, 0 or more`, `for example ${option} 0`);
}

/** A percentage as a fraction. */
export function fraction(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 100) return value / 100;
  throw new UserError(`${option}: "${text}" is not a percentage between 0 and 100`, `for example ${option} 40`);
}

/** "2/5" as the second of five parts. */
export function shardOf(text: string): { i: number; n: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [i, n] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && i >= 1 && i <= n) return { i, n };
  throw new UserError(
    `--shard: "${text}" is not of the form i/n with 1 <= i <= n`,
    'for example --shard 2/5 for the second of five machines',
  );
}
