/** @file What the headline says, counted: the worst case, the strongest attack, the control, and how sure their difference is. */
import { mcnemar } from '../../kit/metrics/paired.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Cell } from '../../kit/record/summary.ts';
import { type Budget, isControl, type RunIndex } from './run-index.ts';

export interface Tally {
  readonly success: number;
  /** Successes and failures. */
  readonly attacked: number;
  readonly skipped: number;
}

/** A cell's counts. */
export const tally = (cell: Cell): Tally => ({
  success: cell.success,
  attacked: cell.success + cell.failure,
  skipped: cell.skipped,
});

/** Counts of every sample's worst outcome at a budget. */
export const worstTally = (index: RunIndex, budget: Budget): Tally => {
  const statuses = index.samples.map((sample) => index.worst(sample, budget)?.status);
  const of = (status: string): number => statuses.filter((one) => one === status).length;
  return { success: of('success'), attacked: of('success') + of('failure'), skipped: of('skipped') };
};

/** The attack that does not look at the model, with its cell at the budget. */
export const control = (index: RunIndex, budget: Budget): { name: string; cell: Cell } | undefined => {
  for (const attack of index.attacks) {
    const cell = index.cell(attack.name, budget);
    if (isControl(attack) && cell !== undefined) return { name: attack.name, cell };
  }
  return undefined;
};

export interface Strongest {
  /** The attacks' names, for people. */
  readonly label: string;
  readonly success: number;
  /** The first of them, as rows call it. */
  readonly attack: string;
}

/** The attack with most successes at the budget; those that tie share the honour. */
export const strongest = (index: RunIndex, budget: Budget): Strongest | undefined => {
  const tried = index.attacks.flatMap((attack) => {
    const cell = index.cell(attack.name, budget);
    return cell === undefined || isControl(attack) ? [] : [{ attack: attack.name, label: attack.label, success: cell.success }];
  });
  if (tried.length === 0) return undefined;
  const success = Math.max(...tried.map((attack) => attack.success));
  const best = tried.filter((attack) => attack.success === success);
  const label = best.length > 2 ? `each of ${best.length} attacks` : best.map((attack) => attack.label).join(' and ');
  return { attack: best[0]!.attack, success, label };
};

export interface Paired {
  /** Samples both attacks were tried on and judged. */
  readonly pairs: number;
  /** Exact McNemar, two-sided. */
  readonly p: number;
}

/** Two attacks at one budget compared on the samples both were tried on. */
export function compare(index: RunIndex, first: string, second: string, budget: Budget): Paired {
  const others = index.rows(second, budget);
  const tried = (row: Row | undefined): boolean => row?.status === 'success' || row?.status === 'failure';
  const pairs = [...index.rows(first, budget).values()].flatMap((row) => {
    const other = others.get(row.sample);
    return tried(row) && tried(other) ? [[row.status, other!.status] as const] : [];
  });
  const only = (a: string, b: string): number => pairs.filter(([x, y]) => x === a && y === b).length;
  return { pairs: pairs.length, p: mcnemar(only('success', 'failure'), only('failure', 'success')) };
}
