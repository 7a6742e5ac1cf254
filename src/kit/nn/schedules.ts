/** @file The course of the learning rate: a factor on it for every step. A pure function of the step, so a resumed training goes on as if never stopped. */
import { findNamed, UserError } from '../../core/errors.ts';
import { belowOne, fraction } from '../option-checks.ts';
import { type Configurable, type Options, readOptions } from '../options.ts';

export interface Schedule {
  readonly name: string;
  /** Every option, defaults included. */
  readonly options: Options;
  /** Factor on the learning rate at step `step` (from 0) of `of`. */
  rate(step: number, of: number): number;
}

interface ScheduleFamily<O extends Options = Options> extends Configurable<O> {
  /** The factor after warm-up, where `progress` (0 at its end, below 1) of the remaining steps are done. */
  factor(progress: number, options: O): number;
}

const warmup = { warmup: 0 };
const aboutWarmup = { warmup: 'share of all steps over which the rate grows linearly from nearly 0' };

const constant: ScheduleFamily<typeof warmup> = { name: 'constant', defaults: warmup, about: aboutWarmup, factor: () => 1 };

const cosineDefaults = { ...warmup, floor: 0 };

/** floor + (1 - floor) (1 + cos(pi progress)) / 2 (Loshchilov and Hutter 2017, equation 5, without restarts). */
const cosine: ScheduleFamily<typeof cosineDefaults> = {
  name: 'cosine',
  defaults: cosineDefaults,
  about: { ...aboutWarmup, floor: 'factor the rate sinks to' },
  check: ({ floor }) => fraction('floor', floor),
  factor: (progress, { floor }) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2,
};

const stepDefaults = { ...warmup, at: '0.5, 0.75', gamma: 0.1 };

const milestones = (at: string): number[] => at.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));

/** gamma to the number of milestones passed. */
const step: ScheduleFamily<typeof stepDefaults> = {
  name: 'step',
  defaults: stepDefaults,
  about: {
    ...aboutWarmup,
    at: 'milestones, as shares of the steps after warm-up, separated by commas',
    gamma: 'factor at every milestone',
  },
  check({ at, gamma }) {
    if (!milestones(at).every((m) => m >= 0 && m <= 1))
      return `at is "${at}": it lists shares between 0 and 1, such as "0.5, 0.75"`;
    return gamma > 0 && gamma <= 1 ? undefined : `gamma is ${gamma}: it is above 0 and at most 1`;
  },
  factor: (progress, { at, gamma }) => gamma ** milestones(at).filter((m) => progress >= m).length,
};

/** The schedules a recipe can name. */
export const schedules: Readonly<Record<string, ScheduleFamily>> = { constant, cosine, step };

/**
 * The schedule of `{ use: NAME, ...options }`. With warm-up, the first w = round(warmup of) steps have the factors 1/w, 2/w, ... 1.
 * Throws a UserError for an unknown name or option.
 */
export function scheduleOf({ use, ...given }: { readonly use: string; readonly [option: string]: unknown }): Schedule {
  const family = findNamed('schedule', schedules, use);
  const options = readOptions(family, given);
  const warmed = options.warmup as number;
  const complaint = belowOne('warmup', warmed);
  if (complaint !== undefined) throw new UserError(`${use}: ${complaint}`, 'it is a share of all steps: write e.g. warmup: 0.05');
  return {
    name: use,
    options,
    rate(step, of) {
      const warm = Math.round(warmed * of);
      return step < warm ? (step + 1) / warm : family.factor((step - warm) / (of - warm), options);
    },
  };
}
