/** @file Rows of a run seen as attempts: samples the model got right, and whether an attack broke them within a budget. */
import { median } from '../../../kit/metrics/quantile.ts';
import { interval, percent } from '../../../kit/metrics/rate-words.ts';
import { wilson } from '../../../kit/metrics/rates.ts';
import type { Row } from '../../../kit/record/row.ts';
import type { FinishedRun } from './study.ts';

/** The single attacked input's budget of a row. */
export const epsOf = (row: Pick<Row, 'eps'>): number => Object.values(row.eps)[0]!;

/** Rows of one attack at one budget that count: neither skipped nor invalid. */
export const attempts = ({ rows }: Pick<FinishedRun, 'rows'>, attack: string, eps: number): Row[] =>
  rows.filter((row) => row.attack === attack && epsOf(row) === eps && (row.status === 'success' || row.status === 'failure'));

export const broken = (rows: readonly Row[]): number => rows.filter(({ status }) => status === 'success').length;

/** Success rate of attempts; NaN where there were none. */
export const rate = (rows: readonly Row[]): number => broken(rows) / rows.length;

/** "61.5% [54.2–68.3%]", with the Wilson interval. */
export const rateText = (rows: readonly Row[]): string =>
  rows.length === 0 ? '—' : `${percent(rate(rows))} [${interval(wilson(broken(rows), rows.length))}]`;

/** The budgets of a run, ascending. */
export const budgetsOf = ({ rows }: Pick<FinishedRun, 'rows'>): number[] => [...new Set(rows.map(epsOf))].sort((a, b) => a - b);

/**
 * Smallest number of flips found by an attack on each attempted sample, a failure infinite; in the order of the samples. Of an attack that looks for no smallest
 * change it is that of its smallest saved success.
 */
export function distances(run: Pick<FinishedRun, 'rows'>, attack: string): { sample: string; distance: number }[] {
  const saved = new Map<string, number>();
  for (const { sample, attack: by, status, norms } of run.rows) {
    const [flips] = Object.values(norms).map(({ l0 }) => l0);
    if (by === attack && status === 'success' && flips !== undefined)
      saved.set(sample, Math.min(flips, saved.get(sample) ?? Number.POSITIVE_INFINITY));
  }
  const most = budgetsOf(run).at(-1)!;
  return attempts(run, attack, most)
    .map(({ sample, distance }) => ({ sample, distance: distance ?? saved.get(sample) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.sample < b.sample ? -1 : 1));
}

/** Median over attempts, failures infinite: "∞" where more than half failed. */
export function medianText(run: Pick<FinishedRun, 'rows'>, attack: string): string {
  const found = distances(run, attack).map(({ distance }) => distance);
  if (found.length === 0) return '—';
  const middle = median(found);
  return Number.isFinite(middle) ? String(Number(middle.toPrecision(4))) : '∞';
}

/** Mean over the attempted samples of what an attack cost, all budgets together, with so many digits after the point; a dash where there were none. */
export function costText(
  run: Pick<FinishedRun, 'rows'>,
  attack: string,
  key: 'forwards' | 'backwards' | 'seconds',
  digits = 0,
): string {
  const attempted = new Set(attempts(run, attack, budgetsOf(run).at(-1)!).map(({ sample }) => sample));
  if (attempted.size === 0) return '—';
  const rows = run.rows.filter((row) => row.attack === attack && attempted.has(row.sample));
  return (rows.reduce((sum, row) => sum + row[key], 0) / attempted.size).toFixed(digits);
}
