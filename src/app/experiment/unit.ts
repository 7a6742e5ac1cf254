/** @file One work unit: clean pass, attack per budget, rounding, saving, re-reading, and the last word on what succeeded. */
import { UserError } from '../../core/errors.ts';
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { Problem } from '../../kit/data/source.ts';
import { type Goal, reached } from '../../kit/losses/loss.ts';
import { norms } from '../../kit/metrics/norms.ts';
import { decisionView, scoreView } from '../../kit/model/make-oracle.ts';
import type { Inputs, Model, Sample } from '../../kit/model/model.ts';
import { argmax, type GradientOracle } from '../../kit/model/oracle.ts';
import { softmax } from '../../kit/model/predict.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Row } from '../../kit/record/row.ts';
import { lpThreat } from '../../kit/threat/lp.ts';
import { toStorage } from '../../kit/threat/storage.ts';
import type { Norm, Threat } from '../../kit/threat/threat.ts';
import type { Attack, Job } from '../../methods/attacks/attack.ts';
import { sha256 } from '../host/files.ts';
import { breachOf } from './breach.ts';
import type { Budget, GoalPlan, PlannedAttack } from './plan.ts';
import { blank, carried, type Subject } from './rows.ts';

/** Keeps adversarial examples in open containers and gives them back as the model will see them. */
export interface ExampleStore {
  /** Writes whole or not at all; returns the path relative to the run directory. */
  save(name: string, inputs: Inputs): Promise<string>;
  load(path: string): Promise<Inputs>;
}

export interface UnitContext {
  readonly model: Model;
  readonly oracle: () => GradientOracle;
  readonly samples: readonly Sample[];
  readonly problems: readonly Problem[];
  readonly planned: PlannedAttack;
  readonly budgets: readonly Budget[];
  readonly goal: GoalPlan;
  readonly seed: number;
  readonly examples: ExampleStore;
  readonly signal: AbortSignal;
  /** Called with the share of the unit that is done, 0..1. */
  progress(share: number): void;
}

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

/** Runs a unit. Rows come per budget in ascending order, samples in data order. */
export async function runUnit(context: UnitContext): Promise<UnitResult> {
  const { samples, planned, budgets, problems } = context;
  if (samples.length === 0) return { rows: [], problems };
  const subjects = await cleanPass(context);
  const rows: Row[] = [];
  for (const [step, budget] of budgets.entries()) {
    const progress = (share: number) => context.progress((step + share) / budgets.length);
    rows.push(...(await attackAt(context, budget, subjects, planned.attack, progress)));
  }
  return { rows, problems };
}

async function cleanPass({ oracle, samples, goal, model, seed, examples }: UnitContext): Promise<Subject[]> {
  const originals: string[] = [];
  for (const { id, inputs } of samples) originals.push(await examples.save(fileName(id, 'original'), inputs));
  const logits = await oracle().logits(samples.map((s, of) => ({ of, inputs: s.inputs })));
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

async function attackAt(
  context: UnitContext,
  budget: Budget,
  subjects: readonly Subject[],
  attack: Attack,
  progress: (share: number) => void,
): Promise<Row[]> {
  const { model, planned, seed, signal } = context;
  const started = performance.now();
  const open = subjects.filter((s) => !s.skipped && s.broken === undefined && s.invalid === undefined);
  const oracle = context.oracle();
  const threats = open.map(({ sample }) => threatsOf(model, budget, sample));
  const job: Job<Attack['needs']> = {
    oracle: viewFor(attack, oracle),
    batch: open.map((s) => s.sample),
    goals: open.map((s) => s.goal),
    threats,
    random: (i, restart) => stream(seed, open[i]!.sample.id, attack.name, restart),
    signal,
    progress: (done, of) => progress(of === 0 ? 1 : done / of),
  };
  const outcomes = open.length === 0 ? [] : await attack.run(job, planned.options);
  if (outcomes.length !== open.length)
    throw new UserError(
      `attack ${planned.label} gave ${outcomes.length} outcomes for ${open.length} samples`,
      'an attack returns one outcome per sample of its batch, in order: docs/own-code.md',
    );
  const judged = await judge(context, budget, open, outcomes);
  const seconds = open.length === 0 ? 0 : (performance.now() - started) / 1000 / open.length;
  return subjects.map((subject) => {
    const at = open.indexOf(subject);
    if (at < 0) return carried(subject, planned.label, budget);
    const row: Row = { ...blank(subject, planned.label, budget), ...judged[at]!, ...oracle.counts(at), seconds };
    if (row.status === 'success') subject.broken = row;
    if (row.status === 'invalid') subject.invalid = row.reason ?? 'invalid';
    return row;
  });
}

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

type Judgement = Pick<Row, 'status' | 'prediction' | 'floatSuccess' | 'probabilities' | 'norms'> & {
  reason?: string;
  example?: string;
};

/** Rounds each proposal to storage; what still succeeds is saved, read back, predicted again and measured: only that counts. */
async function judge(
  context: UnitContext,
  budget: Budget,
  open: readonly Subject[],
  outcomes: readonly Outcome[],
): Promise<Judgement[]> {
  const { model, examples, planned } = context;
  const oracle = context.oracle();
  const proposed = outcomes.flatMap((o, of) =>
    o.inputs === undefined ? [] : [{ of, inputs: { ...open[of]!.sample.inputs, ...o.inputs } }],
  );
  const rounded = proposed.map(({ of, inputs }) => ({ of, inputs: roundInputs(model, budget, open[of]!.sample.inputs, inputs) }));
  const floatLogits = await oracle.logits(proposed);
  const roundedLogits = await oracle.logits(rounded);
  const saved: { of: number; inputs: Inputs; path: string }[] = [];
  for (const [k, { of, inputs }] of rounded.entries()) {
    if (!reached(open[of]!.goal, argmax(roundedLogits[k]!))) continue;
    const path = await examples.save(exampleName(open[of]!.sample.id, planned.label, budget), inputs);
    saved.push({ of, path, inputs: await examples.load(path) });
  }
  const savedLogits = await oracle.logits(saved);
  return open.map((subject, of): Judgement => {
    const outcome = outcomes[of]!;
    const stands = {
      prediction: subject.cleanPrediction,
      probabilities: softmax(subject.cleanLogits),
      norms: {},
      floatSuccess: false,
    };
    if (outcome.status === 'invalid')
      return { ...stands, status: 'invalid', reason: outcome.reason ?? 'the attack could not judge this sample' };
    const k = proposed.findIndex((p) => p.of === of);
    if (k < 0) return { ...stands, status: 'failure' };
    if (!roundedLogits[k]!.every(Number.isFinite))
      return { ...stands, status: 'invalid', reason: 'the model gives NaN or infinite scores on the example' };
    const floatSuccess = reached(subject.goal, argmax(floatLogits[k]!));
    const at = saved.findIndex((s) => s.of === of);
    const logits = savedLogits[at];
    if (logits === undefined || !reached(subject.goal, argmax(logits))) return { ...stands, status: 'failure', floatSuccess };
    const breach = breachOf(model, budget, subject.sample, saved[at]!.inputs);
    if (breach !== undefined) return { ...stands, status: 'invalid', reason: breach };
    return {
      status: 'success',
      prediction: argmax(logits),
      probabilities: softmax(logits),
      floatSuccess,
      norms: sizes(budget, subject.sample.inputs, saved[at]!.inputs),
      example: saved[at]!.path,
    };
  });
}

const roundInputs = (model: Model, budget: Budget, x0: Inputs, x: Inputs): Inputs =>
  Object.fromEntries(
    Object.entries(x).map(([name, values]) => {
      const eps = budget.eps[name];
      return [
        name,
        eps === undefined ? values : toStorage(model.inputs[name]!, x0[name]!, values, { norm: budget.norm[name]!, eps }),
      ];
    }),
  );

function sizes(budget: Budget, x0: Inputs, x: Inputs): Record<string, Record<Norm, number>> {
  return Object.fromEntries(Object.keys(budget.eps).map((name) => [name, norms(x0[name]!, x[name]!)]));
}

const exampleName = (sample: string, label: string, budget: Budget): string =>
  fileName(sample, label, ...Object.entries(budget.eps).map(([name, e]) => `${budget.norm[name]}-${e.toPrecision(4)}`));

/** A file name that no two lists of parts share, readable in a listing; file systems take 255 bytes, so long ones end in a hash. */
function fileName(...parts: string[]): string {
  const name = parts.map((part) => encodeURIComponent(part).replaceAll('%', '~').replaceAll('_', '~5F')).join('__');
  return name.length <= 200 ? name : `${name.slice(0, 160)}__${sha256(name).slice(0, 32)}`;
}
