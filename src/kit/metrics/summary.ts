/** @file From rows to the numbers of a report: cells, worst case, confusion. Rates are fractions; a rate over nothing is NaN (null in JSON), never 0 or 1. */
import type { Status } from '../record/outcome.ts';
import type { Row } from '../record/row.ts';
import type { Cell, Eps, Norms, Summary, WorstCase } from '../record/summary.ts';
import { summariseEvents } from './event-summary.ts';
import { wilson } from './rates.ts';

/** Summary of a run's rows. Cells and budgets come in the order the rows name them first. */
export function summarise(rows: readonly Row[]): Summary {
  const samples = [...groupBy(rows, (row) => row.sample).values()];
  // -1: the process that asked the model crashed; another attack's may have lived
  const answered = samples.flatMap((group) => group.find((row) => row.cleanPrediction >= 0) ?? []);
  const correct = answered.filter((row) => row.cleanPrediction === row.label).length;
  const budgets = [...groupBy(rows, budgetKey).values()];
  return {
    n: samples.length,
    cleanAccuracy: correct / answered.length,
    cleanAccuracyInterval: wilson(correct, answered.length),
    cells: [...groupBy(rows, (row) => JSON.stringify([row.attack, budgetKey(row)])).values()].map(cellOf),
    worstCase: budgets.map((atBudget) => worstCaseOf(atBudget, rows)),
  };
}

function cellOf(rows: readonly Row[]): Cell {
  const { attack } = rows[0]!;
  const { norm, eps } = budgetOf(rows[0]!);
  const count = countStatuses(rows.map((row) => row.status));
  const attacked = count.success + count.failure;
  const broken = rows.filter((row) => row.status === 'success');
  const events = summariseEvents(rows);
  return {
    attack,
    norm,
    eps,
    n: rows.length,
    ...count,
    ...robustness(count),
    attackSuccessRate: attacked === 0 ? null : count.success / attacked,
    attackSuccessRateInterval: attacked === 0 ? null : wilson(count.success, attacked),
    meanNorm: broken.length === 0 ? null : meanSize(broken),
    ...(events === undefined ? {} : { events }),
  };
}

function worstCaseOf(atBudget: readonly Row[], rows: readonly Row[]): WorstCase {
  const statuses = worstStatuses(atBudget, rows).map(({ status }) => status);
  return { ...budgetOf(atBudget[0]!), ...robustness(countStatuses(statuses)) };
}

/**
 * Per-sample minimum over the attacks at the budget of `atBudget`, given all rows: a sample stands only where some attack could judge it and none
 * succeeded, neither at this budget nor at one contained in it.
 */
export function worstStatuses(atBudget: readonly Row[], rows: readonly Row[]): Pick<Row, 'sample' | 'group' | 'status'>[] {
  const budget = atBudget[0]!;
  const broken = new Set(rows.filter((row) => row.status === 'success' && contains(budget, row)).map((row) => row.sample));
  return [...groupBy(atBudget, (row) => row.sample)].map(([sample, group]) => ({
    sample,
    group: group[0]!.group,
    status: broken.has(sample) ? 'success' : worst(group.map((row) => row.status)),
  }));
}

const worst = (statuses: readonly Status[]): Status =>
  (['success', 'skipped', 'failure'] as const).find((status) => statuses.includes(status)) ?? 'invalid';

function robustness(count: Readonly<Record<Status, number>>) {
  const judged = count.success + count.failure + count.skipped;
  return { robustAccuracy: count.failure / judged, robustAccuracyInterval: wilson(count.failure, judged) };
}

/** Whether a perturbation allowed by the budget of `inner` is allowed by that of `outer`. */
function contains(outer: Row, inner: Row): boolean {
  const names = Object.keys(outer.eps);
  return (
    names.length === Object.keys(inner.eps).length &&
    names.every((name) => inner.norm[name] === outer.norm[name] && inner.eps[name]! <= outer.eps[name]!)
  );
}

export interface Confusion {
  /** [label][prediction] counts on the originals. */
  readonly clean: readonly (readonly number[])[];
  /** [label][prediction] counts on the saved examples; the clean prediction where the original stands. */
  readonly attacked: readonly (readonly number[])[];
}

/** Clean and attacked confusion matrices of one attack at one budget, over `classes` classes; invalid samples are left out of both. */
export function confusion(rows: readonly Row[], classes: number, attack: string, eps: Eps): Confusion {
  const wanted = JSON.stringify(eps);
  const chosen = rows.filter(
    (row) => row.attack === attack && row.status !== 'invalid' && JSON.stringify(budgetOf(row).eps) === wanted,
  );
  const count = (prediction: (row: Row) => number): number[][] => {
    const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    for (const row of chosen) matrix[row.label]![prediction(row)]!++;
    return matrix;
  };
  return { clean: count((row) => row.cleanPrediction), attacked: count((row) => row.prediction) };
}

/** The budget of a row as summaries print it: a number for one input, by name for several; one norm where all inputs have it. */
export function budgetOf(row: Row): { readonly norm: Norms; readonly eps: Eps } {
  const [first, ...others] = Object.keys(row.eps);
  const norm = row.norm[first!]!;
  return {
    norm: others.every((name) => row.norm[name] === norm) ? norm : row.norm,
    eps: others.length === 0 ? row.eps[first!]! : row.eps,
  };
}

/** Mean size of the perturbations, each input in its own norm. */
function meanSize(rows: readonly Row[]): Eps {
  const { norm, eps } = rows[0]!;
  const means = Object.keys(eps).map((name): [string, number] => [
    name,
    rows.reduce((sum, row) => sum + row.norms[name]![norm[name]!], 0) / rows.length,
  ]);
  return means.length === 1 ? means[0]![1] : Object.fromEntries(means);
}

/** The same for rows of one budget. */
export const budgetKey = (row: Pick<Row, 'norm' | 'eps'>): string =>
  JSON.stringify(
    Object.keys(row.eps)
      .sort()
      .map((name) => [name, row.norm[name], row.eps[name]]),
  );

function countStatuses(statuses: readonly Status[]): Record<Status, number> {
  const count = { success: 0, failure: 0, skipped: 0, invalid: 0 };
  for (const status of statuses) count[status]++;
  return count;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
