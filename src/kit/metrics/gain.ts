/** @file What a change of training is worth, over several trainings and a common set of test samples. */
import { stream } from '../../core/tensor/random.ts';
import { quantile } from './quantile.ts';

/** A figure per test sample, in the same order everywhere, from two trainings that differ in one thing and share the seed. */
export interface TrainingPair {
  readonly treated: ArrayLike<number>;
  readonly control: ArrayLike<number>;
}

export interface GainOptions {
  readonly resamples: number;
  /** Share of worlds in which the gain lies above the lower bound. */
  readonly confidence: number;
  /** Of the resampling. */
  readonly seed: number;
  /** What each sample is of (a person, a photo): whole groups are drawn instead of samples, because those of one group stand or fall together. */
  readonly groups?: readonly string[];
}

export const gainDefaults: Omit<GainOptions, 'groups'> = { resamples: 10_000, confidence: 0.95, seed: 0 };

export interface Gain {
  /** Mean over trainings and samples of treated - control. */
  readonly gain: number;
  /** One-sided: below it lies a share 1 - confidence of the resampled gains. */
  readonly lower: number;
  /** One-sided: above it lies a share 1 - confidence of them. */
  readonly upper: number;
  /** Mean over the samples, for each pair of trainings. */
  readonly each: readonly number[];
  readonly samples: number;
  /** What was drawn: groups, or the samples themselves. */
  readonly units: number;
}

/**
 * The mean gain with percentile bounds of a paired bootstrap over trainings and samples: pairs of trainings are drawn with replacement, then samples, the same
 * for every pair drawn, because the same samples were judged in all of them (Owen 2007, "The pigeonhole bootstrap"; Efron and Tibshirani 1993, section 13.3).
 * With k trainings their variance is underestimated by the factor (k - 1) / k, with k groups that of groups. Throws when there is no pair, no sample, or
 * the lengths differ.
 */
export function trainingGain(pairs: readonly TrainingPair[], options: Partial<GainOptions> = {}): Gain {
  const { resamples, confidence, seed, groups } = { ...gainDefaults, ...options };
  const samples = pairs[0]?.treated.length ?? 0;
  if (samples === 0) throw new Error('a gain needs at least one pair of trainings and one sample');
  if (pairs.some(({ treated, control }) => treated.length !== samples || control.length !== samples))
    throw new Error('all trainings are compared on the same samples');
  if (groups !== undefined && groups.length !== samples) throw new Error('every sample has a group');
  const units = unitsOf(groups, samples);
  const differences = pairs.map(({ treated, control }) =>
    Float64Array.from({ length: samples }, (_, i) => treated[i]! - control[i]!),
  );
  const each = differences.map((d) => d.reduce((a, b) => a + b, 0) / samples);
  const gains = Float64Array.from({ length: resamples }, (_, r) => {
    const random = stream(seed, 'gain', r);
    const drawn = pairs.map(() => random.integer(pairs.length));
    const total = new Float64Array(samples);
    for (const pair of drawn) for (let i = 0; i < samples; i++) total[i]! += differences[pair]![i]!;
    let sum = 0;
    let count = 0;
    for (let u = 0; u < units.length; u++) {
      const unit = units[random.integer(units.length)]!;
      for (const i of unit) sum += total[i]!;
      count += unit.length;
    }
    return sum / (count * pairs.length);
  }).sort();
  return {
    gain: each.reduce((a, b) => a + b, 0) / pairs.length,
    lower: quantile(gains, 1 - confidence),
    upper: quantile(gains, confidence),
    each,
    samples,
    units: units.length,
  };
}

/** The indices of the samples of each group; of each sample alone where there are no groups. */
function unitsOf(groups: readonly string[] | undefined, samples: number): readonly (readonly number[])[] {
  const units = new Map<string | number, number[]>();
  for (let i = 0; i < samples; i++) {
    const group = groups?.[i] ?? i;
    const unit = units.get(group);
    if (unit === undefined) units.set(group, [i]);
    else unit.push(i);
  }
  return [...units.values()];
}
