/** @file One sample on its way through an attack: what it asked last, what is its best so far, and what an answer does to it. */
import type { Stream } from '../../../core/tensor/random.ts';
import { type Goal, leadOf, reached } from '../../../kit/losses/loss.ts';
import type { Inputs, Sample } from '../../../kit/model/model.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Outcome } from '../../../kit/record/outcome.ts';
import { allFinite } from '../point.ts';
import type { Attempt, Question } from './question.ts';
import type { Space } from './space.ts';
import { type Tracer, tracer } from './trace.ts';

/**
 * Which of the points shown to the model is the result, of those that reach the goal:
 * - first: the first one, and the sample leaves (early stop);
 * - widest: the one with the largest margin, at the end;
 * - smallest: the one of smallest size, at the end; ties go to the earlier.
 */
export type Keep = 'first' | 'widest' | 'smallest';

export interface Best {
  readonly u: Float32Array;
  /** In the space's own terms. */
  readonly size: number;
  /** Negative: by how much the goal is reached. NaN where only labels are known. */
  readonly lead: number;
}

/** One sample as its attack sees it. */
export interface Trial<S extends Space> {
  /** Index into the job's batch. */
  readonly of: number;
  readonly sample: Sample;
  readonly goal: Goal;
  readonly classes: number;
  readonly space: S;
  random(restart: number): Stream;
  /** The best example so far, as `keep` says. */
  best(): Best | undefined;
  /** Queries that may still be asked: a question over it ends the attempt. */
  left(): number;
  /** Says that answers proved a point minimal (Trace.minimal): it counts where that is the best example in the end. */
  proven(u: Float32Array): void;
}

export interface Walker<S extends Space> {
  readonly trial: Trial<S>;
  readonly attempt: Attempt;
  readonly tracer: Tracer;
  /** By how much, in logits, a point must reach the goal to be kept. */
  readonly confidence: number;
  question: Question | undefined;
  best: Best | undefined;
  /** What was proven minimal. */
  minimal: Float32Array | undefined;
  /** Queries spent when the first example was found. */
  foundAt: number | undefined;
  lowest: number;
  gradients: number;
  done: number;
  reason: string | undefined;
}

/** What the oracle said of one walker's points, before it is checked. */
export interface Said {
  readonly loss: readonly number[];
  readonly logits: readonly Float32Array[];
  readonly labels: readonly number[];
  readonly gradient: readonly Inputs[];
}

/** A walker whose attempt has not begun. */
export function walkerOf<S extends Space>(trial: Trial<S>, attempt: Attempt, confidence = 0): Walker<S> {
  return {
    trial,
    attempt,
    tracer: tracer(),
    confidence,
    question: undefined,
    best: undefined,
    minimal: undefined,
    foundAt: undefined,
    lowest: Number.POSITIVE_INFINITY,
    gradients: 0,
    done: 0,
    reason: undefined,
  };
}

/**
 * Takes the next question, or closes the attempt where there is none or the sample may not ask so much. Throws where losses or lengths do not fit the
 * points: they would be read as another sample's.
 */
export function advance<S extends Space>(walker: Walker<S>, { value, done }: IteratorResult<Question, void>): void {
  walker.question = done ? undefined : value;
  if (value === undefined) return;
  check(value, walker.trial.space.n);
  walker.done = Math.max(walker.done, Math.min(1, value.done ?? 0));
  if (value.at.length > walker.trial.left()) close(walker);
}

function check(question: Question, n: number): void {
  const { at } = question;
  if (question.ask === 'gradient' && question.losses.length !== at.length)
    throw new Error(`an attack asked for gradients at ${at.length} points with ${question.losses.length} losses`);
  const u = at.find(({ length }) => length !== n);
  if (u !== undefined) throw new Error(`an attack asked about a point of ${u.length} elements in a space of ${n}`);
}

function close<S extends Space>(walker: Walker<S>): void {
  walker.question = undefined;
  walker.attempt.return();
}

/** Judges what was said at a walker's points, remembers the best, and lets its attempt go on. */
export function resume<S extends Space>(walker: Walker<S>, said: Said, queries: number, keep: Keep): void {
  if (walker.question!.ask === 'gradient') walker.gradients++;
  const complaint = judge(walker, said, queries, keep);
  if (complaint === undefined && keep === 'first' && walker.best !== undefined) {
    close(walker);
    return;
  }
  const broken = complaint ?? brokenSlope(walker, said);
  if (broken === undefined) {
    const { space } = walker.trial;
    advance(walker, walker.attempt.next({ ...said, gradient: said.gradient.map((g) => space.pull(g)) }));
    return;
  }
  if (walker.best === undefined) walker.reason = broken;
  close(walker);
}

/** Why the answer cannot be used, or undefined. */
function judge<S extends Space>(walker: Walker<S>, said: Said, queries: number, keep: Keep): string | undefined {
  const { trial, question, tracer } = walker;
  let first = Number.NaN;
  for (const [k, u] of question!.at.entries()) {
    const z = said.logits[k];
    if (z === undefined ? said.labels[k] === -1 : !allFinite(z)) return 'the logits are not finite';
    const lead = z === undefined ? Number.NaN : leadOf(trial.goal, z);
    if (k === 0) first = lead;
    if (question!.scouting) continue;
    if (lead < walker.lowest) walker.lowest = lead;
    // NaN, where only labels are known, is not too little
    if (lead > -walker.confidence) continue;
    if (reached(trial.goal, z === undefined ? said.labels[k]! : argmax(z))) consider(walker, u, lead, queries, keep);
  }
  const found = walker.best?.size ?? Number.POSITIVE_INFINITY;
  tracer.add(queries, first, keep === 'smallest' ? found : walker.lowest);
  return undefined;
}

function brokenSlope<S extends Space>({ trial, gradients }: Walker<S>, said: Said): string | undefined {
  for (const gradient of said.gradient) {
    const part = trial.space.parts.find(({ name }) => !allFinite(gradient[name]!));
    if (part !== undefined) return `the gradient of input "${part.name}" is not finite at step ${gradients}`;
  }
  if (!said.loss.every(Number.isFinite)) return `the loss is not finite at step ${gradients}`;
  return undefined;
}

function consider<S extends Space>(walker: Walker<S>, u: Float32Array, lead: number, queries: number, keep: Keep): void {
  const { best, trial } = walker;
  walker.foundAt ??= queries;
  if (keep === 'first' && best !== undefined) return;
  if (keep === 'widest' && best !== undefined && !(lead < best.lead)) return;
  const size = trial.space.size(u);
  if (keep === 'smallest' && best !== undefined && !(size < best.size)) return;
  // a copy: the attack may go on writing into its own array
  walker.best = { u: u.slice(), size, lead };
}

/** What a walker found, once its attempt has ended. */
export function outcomeOf<S extends Space>({ trial, best, minimal, tracer, reason, foundAt }: Walker<S>): Outcome {
  const proof = best !== undefined && minimal?.every((value, i) => value === best.u[i]) ? { minimal: true as const } : {};
  const known = { trace: { ...tracer.trace(), ...proof }, ...(foundAt === undefined ? {} : { foundAt }) };
  if (reason !== undefined) return { status: 'invalid', reason, ...known };
  if (best === undefined) return { status: 'failure', ...known };
  const inputs = Object.fromEntries(trial.space.parts.map(({ name, x }) => [name, new Float32Array(x.length)]));
  trial.space.write(best.u, inputs);
  return { status: 'success', inputs, ...known };
}
