/** @file One work unit: clean pass, attack, and the rows of what it came to at every budget. */
import { UserError } from '../../core/errors.ts';
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { Problem } from '../../kit/data/source.ts';
import { type Goal, reached } from '../../kit/losses/loss.ts';
import { decisionView, QueryBudgetExceeded, scoreView } from '../../kit/model/make-oracle.ts';
import type { Model, Sample } from '../../kit/model/model.ts';
import { argmax, type GradientOracle } from '../../kit/model/oracle.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Row } from '../../kit/record/row.ts';
import { lpThreat } from '../../kit/threat/lp.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Attack, Job } from '../../methods/attacks/attack.ts';
import { examine, fileName, judge, type Proposal, type Said } from './judge.ts';
import type { Budget, GoalPlan } from './plan.ts';
import { blank, carried, type Subject } from './rows.ts';
import { drawsFor, recordedOf, type UnitContext } from './unit-context.ts';

export interface UnitResult {
  readonly rows: readonly Row[];
  readonly problems: readonly Problem[];
  /** What had to be adapted, e.g. a halved batch. */
  readonly notes?: readonly string[];
  /** Set where samples could not be judged because the model crashed, hung or took too much: the limits that held. */
  readonly broken?: Limits;
}

/** What a unit's process could take; 0 is no limit. */
export interface Limits {
  /** Seconds; 'auto' is a multiple of the measured cost. */
  readonly seconds: number | 'auto';
  /** Bytes. */
  readonly memory: number;
}

/**
 * Runs a unit. Rows come per budget in ascending order, samples in data order. A bounded attack runs at every budget, on what smaller ones left; a minimum-norm
 * attack runs once, with the largest, and what it found is judged at all: its cost stands in the first budget's rows.
 */
export async function runUnit(context: UnitContext): Promise<UnitResult> {
  const { samples, planned, budgets, problems } = context;
  if (samples.length === 0) return { rows: [], problems };
  const subjects = await cleanPass(context);
  const rows: Row[] = [];
  if (planned.attack.kind === 'minimal') {
    const proposals = await propose(context, budgets.at(-1)!, subjects, context.progress);
    for (const [step, budget] of budgets.entries())
      rows.push(...(await rowsAt(context, budget, subjects, proposals, step === 0)));
  } else {
    for (const [step, budget] of budgets.entries()) {
      const progress = (share: number) => context.progress((step + share) / budgets.length);
      rows.push(...(await rowsAt(context, budget, subjects, await propose(context, budget, subjects, progress), true)));
    }
  }
  return { rows, problems };
}

async function cleanPass({ oracle, samples, goal, model, seed, examples }: UnitContext): Promise<Subject[]> {
  const originals: string[] = [];
  for (const sample of samples)
    originals.push(await examples.save(fileName(sample.id, 'original'), sample.inputs, recordedOf(sample, seed)));
  const logits = await oracle(undefined, drawsFor(seed, 'clean', samples)).logits(
    samples.map((s, of) => ({ of, inputs: s.inputs })),
  );
  return samples.map((sample, i) => {
    const cleanLogits = logits[i]!;
    const cleanPrediction = argmax(cleanLogits);
    const label = sample.label ?? cleanPrediction;
    const wanted = goalOf(goal, label, cleanLogits, stream(seed, sample.id, 'target'), model.classes.length);
    const finite = cleanLogits.every(Number.isFinite);
    return {
      sample,
      original: originals[i]!,
      cleanLogits,
      cleanPrediction,
      goal: wanted,
      skipped: finite && (cleanPrediction !== label || reached(wanted, cleanPrediction)),
      ...(finite ? {} : { invalid: 'the model gives NaN or infinite scores on the clean sample' }),
    };
  });
}

function goalOf(plan: GoalPlan, label: number, logits: Float32Array, random: Stream, classes: number): Goal {
  switch (plan.kind) {
    case 'untargeted':
      return { kind: 'untargeted', label };
    case 'targeted':
      return { kind: 'targeted', label, target: plan.target };
    case 'least-likely':
      return { kind: 'targeted', label, target: argmax(Float32Array.from(logits, (z) => -z)) };
    case 'random':
      return { kind: 'targeted', label, target: (label + 1 + random.integer(classes - 1)) % classes };
  }
}

/** Runs the attack on the samples that are still to be broken. */
async function propose(
  context: UnitContext,
  budget: Budget,
  subjects: readonly Subject[],
  progress: (share: number) => void,
): Promise<Proposal[]> {
  const open = subjects.filter(isOpen);
  return open.length === 0 ? [] : examine(context, budget, await ask(context, budget, open, progress));
}

/**
 * Runs the attack. Where it asks more of a sample than that may cost, every sample is attacked alone, so that only those are lost for which it does;
 * where samples decide about each other, all are.
 */
async function ask(
  context: UnitContext,
  budget: Budget,
  open: readonly Subject[],
  progress: (share: number) => void,
): Promise<Said[]> {
  const { model, planned, seed, signal, queries } = context;
  const { attack, label } = planned;
  const started = performance.now();
  const batch = open.map((s) => s.sample);
  const oracle = context.oracle(queries, drawsFor(seed, `attack ${attack.name}`, batch));
  const job: Job<Attack['needs']> = {
    oracle: viewFor(attack, oracle),
    batch,
    goals: open.map((s) => s.goal),
    threats: batch.map((sample) => threatsOf(model, budget, sample)),
    random: (i, restart) => stream(seed, batch[i]!.id, attack.name, restart),
    ...(queries === undefined ? {} : { queries: open.map(() => queries) }),
    signal,
    progress: (done, of) => progress(of === 0 ? 1 : done / of),
  };
  let outcomes: readonly Outcome[];
  try {
    outcomes = await attack.run(job, planned.options);
  } catch (error) {
    if (!(error instanceof QueryBudgetExceeded)) throw error;
    if (open.length > 1 && model.coupling !== 'batch') {
      const alone: Said[] = [];
      for (const [i, subject] of open.entries())
        alone.push(...(await ask(context, budget, [subject], (share) => progress((i + share) / open.length))));
      return alone;
    }
    outcomes = open.map(() => ({ status: 'invalid', reason: beyondQueries(label, error.budget) }));
  }
  if (outcomes.length !== open.length)
    throw new UserError(
      `attack ${label} gave ${outcomes.length} outcomes for ${open.length} samples`,
      'an attack returns one outcome per sample of its batch, in order: docs/own-code.md',
    );
  const seconds = (performance.now() - started) / 1000 / open.length;
  return open.map((subject, i) => ({ subject, outcome: outcomes[i]!, counts: oracle.counts(i), seconds }));
}

/** Why a sample could not be judged: only an attack that does not look at job.queries gets there. */
const beyondQueries = (label: string, queries: number): string =>
  `attack ${label} asked more than the ${queries} queries a sample may cost: raise queries, or let it stop at job.queries (docs/own-code.md)`;

/** A row per sample. `charged`: whether the cost of the attack belongs into them. */
async function rowsAt(
  context: UnitContext,
  budget: Budget,
  subjects: readonly Subject[],
  proposals: readonly Proposal[],
  charged: boolean,
): Promise<Row[]> {
  const { label } = context.planned;
  const started = performance.now();
  const open = proposals.filter(({ subject }) => isOpen(subject));
  const judged = await judge(context, budget, open);
  const judging = (performance.now() - started) / 1000 / Math.max(1, open.length);
  const at = new Map(open.map(({ subject }, i) => [subject, i]));
  return subjects.map((subject) => {
    const i = at.get(subject);
    if (i === undefined) return carried(subject, label, budget);
    const { outcome, distance, counts, seconds } = open[i]!;
    const { foundAt, by, trace } = outcome;
    const row: Row = {
      ...blank(subject, label, budget),
      ...judged[i]!,
      distance,
      ...(foundAt === undefined ? {} : { foundAt }),
      ...(by === undefined ? {} : { by }),
      ...(charged ? { ...counts, ...(trace === undefined ? {} : { trace }) } : {}),
      seconds: judging + (charged ? seconds : 0),
    };
    if (row.status === 'success') subject.broken = row;
    if (row.status === 'invalid') subject.invalid = row.reason ?? 'invalid';
    return row;
  });
}

const isOpen = ({ skipped, broken, invalid }: Subject): boolean => !skipped && broken === undefined && invalid === undefined;

const viewFor = (attack: Attack, oracle: GradientOracle): Job<Attack['needs']>['oracle'] => {
  switch (attack.needs) {
    case 'gradient':
      return oracle;
    case 'scores':
      return scoreView(oracle);
    case 'decision':
      return decisionView(oracle);
    case 'none':
      return undefined;
  }
};

function threatsOf(model: Model, budget: Budget, sample: Sample): Record<string, Threat> {
  return Object.fromEntries(
    Object.entries(budget.eps).map(([name, eps]) => {
      const mask = sample.mask?.[name];
      return [name, lpThreat(model.inputs[name]!, { norm: budget.norm[name]!, eps, ...(mask === undefined ? {} : { mask }) })];
    }),
  );
}
