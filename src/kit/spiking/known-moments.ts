/** @file Moments of potentials in float64: of blocks of values, put together (Chan, Golub & LeVeque 1979), taken apart again, and over channels. */
import type { StepStatistics } from './spike-gradient.ts';

/** Moments that grow, per channel. */
export interface Tally {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly deviations: Float64Array;
}

export const tally = (channels: number): Tally => ({
  count: new Float64Array(channels),
  mean: new Float64Array(channels),
  deviations: new Float64Array(channels),
});

/** Adds values from..to of `data` to a channel: two passes over the block, then the block to what is known. */
export function addBlock(to: Tally, channel: number, data: Float32Array, from: number, end: number): void {
  const n = end - from;
  let sum = 0;
  for (let i = from; i < end; i++) sum += data[i]!;
  const mean = sum / n;
  let squares = 0;
  for (let i = from; i < end; i++) squares += (data[i]! - mean) ** 2;
  addMoments(to, channel, n, mean, squares);
}

/** Adds the moments of a set to a channel. */
export function addMoments(to: Tally, channel: number, count: number, mean: number, deviations: number): void {
  const before = to.count[channel]!;
  const all = before + count;
  const between = mean - to.mean[channel]!;
  to.count[channel] = all;
  to.mean[channel]! += (between * count) / all;
  to.deviations[channel]! += deviations + (between ** 2 * before * count) / all;
}

/** All channels of a step as one. */
export function overChannels({ count, mean, deviations }: StepStatistics): StepStatistics {
  const one = tally(1);
  for (const [c, value] of mean.entries()) addMoments(one, 0, count, value, deviations[c]!);
  return { count: count * mean.length, mean: one.mean, deviations: one.deviations };
}

/** Each step alone, of steps that were cumulated. */
export const stepByStep = (steps: readonly StepStatistics[]): StepStatistics[] =>
  steps.map((all, step) => {
    const before = steps[step - 1];
    if (before === undefined) return all;
    const count = all.count - before.count;
    const mean = all.mean.map((value, c) => (value * all.count - before.mean[c]! * before.count) / count);
    const deviations = all.deviations.map((value, c) =>
      Math.max(0, value - before.deviations[c]! - ((mean[c]! - before.mean[c]!) ** 2 * count * before.count) / all.count),
    );
    return { count, mean, deviations };
  });
