/** @file Two attacks, or one attack on two models, on the same samples. */
import type { Row } from '../record/row.ts';
import { trainingGain } from './gain.ts';
import { mcnemar } from './paired.ts';
import { median } from './quantile.ts';

/** What is known of a sample at a budget. */
export type Judged = Pick<Row, 'sample' | 'group' | 'status'>;

export interface PairedRates {
  /** Samples both could judge. */
  readonly n: number;
  /** Robust accuracy on those: right, and not broken. */
  readonly first: number;
  readonly second: number;
  /** second - first. */
  readonly difference: number;
  /** Of the difference, 95 %: percentile bootstrap over samples, over groups where several samples share one. */
  readonly interval: readonly [number, number];
  /** Samples that stand in one only. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Exact McNemar, two-sided; samples are taken as independent. */
  readonly p: number;
}

const resamples = 4000;

/** Pairs of what both hold, in the order of the first. */
function pairs<T extends { readonly sample: string }>(first: readonly T[], second: readonly T[]): [T, T][] {
  const others = new Map(second.map((row) => [row.sample, row]));
  return first.flatMap((row): [T, T][] => {
    const other = others.get(row.sample);
    return other === undefined ? [] : [[row, other]];
  });
}

/** Robust accuracy of both on the samples both could judge; undefined where there is none. Deterministic. */
export function compareRobustness(first: readonly Judged[], second: readonly Judged[]): PairedRates | undefined {
  const judged = pairs(first, second).filter(([a, b]) => a.status !== 'invalid' && b.status !== 'invalid');
  const n = judged.length;
  if (n === 0) return undefined;
  const stands = (k: 0 | 1): number[] => judged.map((pair) => (pair[k].status === 'failure' ? 1 : 0));
  const [control, treated] = [stands(0), stands(1)];
  const { gain, lower, upper } = trainingGain([{ treated, control }], {
    resamples,
    confidence: 0.975,
    groups: judged.map(([{ group }]) => group),
  });
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const onlyFirst = judged.filter((_, i) => control[i]! > treated[i]!).length;
  const onlySecond = judged.filter((_, i) => control[i]! < treated[i]!).length;
  return {
    n,
    first: sum(control) / n,
    second: sum(treated) / n,
    difference: gain,
    interval: [lower, upper],
    onlyFirst,
    onlySecond,
    p: mcnemar(onlyFirst, onlySecond),
  };
}

export interface PairedDistances {
  /** Samples both attacked. */
  readonly n: number;
  /** Median distance, failures infinite. */
  readonly first: number;
  readonly second: number;
  /** Samples on which one found a smaller change than the other. */
  readonly firstSmaller: number;
  readonly secondSmaller: number;
  /** Exact sign test, two-sided. */
  readonly p: number;
}

/** Distances of two minimum-norm attacks on the samples both attacked; undefined where there is none. A tie, also of two failures, counts for neither. */
export function compareDistances(
  first: readonly (Judged & Pick<Row, 'distance'>)[],
  second: readonly (Judged & Pick<Row, 'distance'>)[],
): PairedDistances | undefined {
  const attacked = ({ status }: Judged): boolean => status === 'success' || status === 'failure';
  const both = pairs(first, second).filter(([a, b]) => attacked(a) && attacked(b));
  if (both.length === 0) return undefined;
  const found = both.map(([a, b]) => [a.distance ?? Number.POSITIVE_INFINITY, b.distance ?? Number.POSITIVE_INFINITY] as const);
  const firstSmaller = found.filter(([a, b]) => a < b).length;
  const secondSmaller = found.filter(([a, b]) => b < a).length;
  return {
    n: both.length,
    first: median(found.map(([a]) => a)),
    second: median(found.map(([, b]) => b)),
    firstSmaller,
    secondSmaller,
    p: mcnemar(firstSmaller, secondSmaller),
  };
}
