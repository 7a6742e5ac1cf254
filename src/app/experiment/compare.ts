/** @file Two finished runs, or two attacks of one, side by side: matched sample by sample, refused where they are not about the same thing. */
import { suggestion, UserError } from '../../core/errors.ts';
import {
  compareDistances,
  compareRobustness,
  type Judged,
  type PairedDistances,
  type PairedRates,
} from '../../kit/metrics/compare.ts';
import { budgetKey, budgetOf, worstStatuses } from '../../kit/metrics/summary.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Eps, Norms } from '../../kit/record/summary.ts';
import type { RunRecord } from './results.ts';

export interface Run {
  /** As the user named it. */
  readonly name: string;
  readonly record: RunRecord;
  readonly rows: readonly Row[];
}

export interface AtBudget extends PairedRates {
  readonly norm: Norms;
  readonly eps: Eps;
}

/** Means per sample over all budgets together, on the samples both runs have. */
export interface Cost {
  readonly forwards: number;
  readonly backwards: number;
  readonly queries: number;
  readonly seconds: number;
}

export interface ComparedAttack {
  /** Labels of the attack in both; "worst case" for the per-sample minimum over all. */
  readonly first: string;
  readonly second: string;
  readonly budgets: readonly AtBudget[];
  readonly cost?: { readonly first: Cost; readonly second: Cost };
  /** Where both are minimum-norm attacks. */
  readonly distances?: PairedDistances;
}

export interface Comparison {
  readonly first: string;
  readonly second: string;
  /** Samples in both, and in one only. */
  readonly samples: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly attacks: readonly ComparedAttack[];
  /** What a reader has to know. */
  readonly notes: readonly string[];
}

export const worstCase = 'worst case';

/** Compares the pairs of attacks; without any, all that both runs have under one label, and the worst case. Throws a UserError where nothing can be compared. */
export function compareRuns(first: Run, second: Run, chosen: readonly (readonly [string, string])[] = []): Comparison {
  refuse(first, second);
  const names = (run: Run) => new Set(run.rows.map(({ sample }) => sample));
  const [mine, others] = [names(first), names(second)];
  const shared = [...mine].filter((sample) => others.has(sample));
  if (shared.length === 0)
    throw new UserError(
      `${first.name} and ${second.name} have no sample in common`,
      'run both on the same data with the same limit and seed',
    );
  const within = new Set(shared);
  const matched = (run: Run): Run => ({ ...run, rows: run.rows.filter(({ sample }) => within.has(sample)) });
  const [a, b] = [matched(first), matched(second)];
  const keys = commonBudgets(a, b);
  const all = a.record.attacks.map(({ label }) => label).filter((label) => b.record.attacks.some((one) => one.label === label));
  const wanted = chosen.length > 0 ? chosen : all.map((label) => [label, label] as const);
  if (wanted.length === 0)
    throw new UserError(
      `${first.name} and ${second.name} have no attack of one name in common`,
      `name two: --attack ${a.record.attacks[0]!.label} --attack ${b.record.attacks[0]!.label}`,
    );
  const attacks = wanted.map(([x, y]) => compareAttack(a, attackOf(a, x), b, attackOf(b, y), keys));
  const worst = (run: Run, key: string): Judged[] =>
    worstStatuses(
      run.rows.filter((row) => budgetKey(row) === key),
      run.rows,
    );
  const together: ComparedAttack = {
    first: worstCase,
    second: worstCase,
    budgets: atBudgets(a, keys, (key) => [worst(a, key), worst(b, key)]),
  };
  return {
    first: first.name,
    second: second.name,
    samples: shared.length,
    onlyFirst: mine.size - shared.length,
    onlySecond: others.size - shared.length,
    attacks: chosen.length > 0 || first === second ? attacks : [...attacks, together],
    notes: notesOn(first, second, keys, shared.length),
  };
}

/** Runs that are not about the same data, inputs or goal. */
function refuse(first: Run, second: Run): void {
  const [a, b] = [first.record, second.record];
  if (a.data.sha256 !== b.data.sha256)
    throw new UserError(
      `the runs are over different data: ${first.name} over ${a.data.name} (sha256 ${a.data.sha256.slice(0, 12)}), ${second.name} over ${b.data.name} (${b.data.sha256.slice(0, 12)})`,
      'a paired comparison needs the same samples: run both on the same data',
    );
  const goals = [a, b].map(({ experiment: { goal } }) => (typeof goal === 'string' ? goal : `targeted: ${goal.targeted}`));
  if (goals[0] !== goals[1])
    throw new UserError(`the runs have different goals: ${goals[0]} and ${goals[1]}`, 'compare runs with one goal');
}

function commonBudgets(a: Run, b: Run): string[] {
  const [mine, others] = [a, b].map((run) => [...new Set(run.rows.map(budgetKey))]) as [string[], string[]];
  const keys = mine.filter((key) => others.includes(key));
  if (keys.length > 0) return keys;
  const say = (run: Run): string =>
    [...new Map(run.rows.map((row) => [budgetKey(row), row])).values()]
      .map((row) =>
        Object.keys(row.eps)
          .map((name) => `${name} ${row.norm[name]} ${Number(row.eps[name]!.toPrecision(6))}`)
          .join(' and '),
      )
      .join(', ');
  throw new UserError(
    `the runs have no budget in common: ${a.name} has ${say(a)}; ${b.name} has ${say(b)}`,
    'run both with the same threat (input, norm and eps)',
  );
}

type PlannedRecord = RunRecord['attacks'][number];

function attackOf({ name, record }: Run, label: string): PlannedRecord {
  const found = record.attacks.find((one) => one.label === label);
  if (found !== undefined) return found;
  throw new UserError(
    `${name} has no attack "${label}"`,
    suggestion(
      label,
      record.attacks.map((one) => one.label),
    ),
  );
}

function compareAttack(a: Run, x: PlannedRecord, b: Run, y: PlannedRecord, keys: readonly string[]): ComparedAttack {
  const [first, second] = [a.rows.filter((row) => row.attack === x.label), b.rows.filter((row) => row.attack === y.label)];
  const at = (rows: readonly Row[], key: string): Row[] => rows.filter((row) => budgetKey(row) === key);
  // a distance is the same at every budget
  const distances =
    x.kind === 'minimal' && y.kind === 'minimal' ? compareDistances(at(first, keys[0]!), at(second, keys[0]!)) : undefined;
  return {
    first: x.label,
    second: y.label,
    budgets: atBudgets(a, keys, (key) => [at(first, key), at(second, key)]),
    cost: { first: costOf(first), second: costOf(second) },
    ...(distances === undefined ? {} : { distances }),
  };
}

function atBudgets(
  { rows }: Run,
  keys: readonly string[],
  judged: (key: string) => readonly [readonly Judged[], readonly Judged[]],
): AtBudget[] {
  return keys.flatMap((key) => {
    const rates = compareRobustness(...judged(key));
    return rates === undefined ? [] : [{ ...budgetOf(rows.find((row) => budgetKey(row) === key)!), ...rates }];
  });
}

function costOf(rows: readonly Row[]): Cost {
  const samples = Math.max(1, new Set(rows.map(({ sample }) => sample)).size);
  const mean = (key: keyof Cost): number => rows.reduce((sum, row) => sum + row[key], 0) / samples;
  return { forwards: mean('forwards'), backwards: mean('backwards'), queries: mean('queries'), seconds: mean('seconds') };
}

/** Resampling a handful of samples shows too little of how they might have been. */
const fewSamples = 20;

function notesOn(first: Run, second: Run, keys: readonly string[], samples: number): string[] {
  const left = [first, second].map(({ rows }) => new Set(rows.map(budgetKey)).size - keys.length);
  const [a, b] = [first.record, second.record];
  const models = a.model.sha256 !== b.model.sha256;
  return [
    ...(samples < fewSamples ? [`${samples} samples are few for a bootstrap: its intervals are too narrow, go by p`] : []),
    ...(models ? [`the models differ: ${a.model.name} and ${b.model.name}`] : []),
    ...(models && !a.data.labelled ? ['there are no labels: each model is held to its own clean answers'] : []),
    ...[first, second].flatMap(({ name }, i) =>
      left[i]! > 0 ? [`budgets of ${name} that are not in the other run: ${left[i]}`] : [],
    ),
    ...[first, second].flatMap(({ name, record }) =>
      record.state === 'partial' ? [`${name} is partial: shards are missing`] : [],
    ),
    ...(JSON.stringify(a.experiment.queries) === JSON.stringify(b.experiment.queries)
      ? []
      : [`query limits differ: ${a.experiment.queries ?? 'none'} and ${b.experiment.queries ?? 'none'}`]),
  ];
}
