/** @file Runs an attack that is written for one sample over a whole batch: questions travel together, everything else is each sample's own. */
import type { Loss } from '../../../kit/losses/loss.ts';
import type { Sample } from '../../../kit/model/model.ts';
import type { DecisionOracle, GradientOracle, Probe, ScoreOracle } from '../../../kit/model/oracle.ts';
import type { Outcome } from '../../../kit/record/outcome.ts';
import type { Threat } from '../../../kit/threat/threat.ts';
import type { Job } from '../attack.ts';
import type { Attempt, Question } from './question.ts';
import { slices } from './slices.ts';
import type { Space } from './space.ts';
import { advance, type Keep, outcomeOf, resume, type Said, type Trial, type Walker, walkerOf } from './walker.ts';

export interface Drive<S extends Space> {
  space(sample: Sample, threats: Readonly<Record<string, Threat>>): S;
  readonly keep: Keep;
  /** By how much, in logits, a point must reach the goal to be kept; 0 by default. */
  readonly confidence?: number;
  attempt(trial: Trial<S>): Attempt;
}

type AnyOracle = DecisionOracle & Partial<ScoreOracle> & Partial<GradientOracle>;

/** Numbers laid out at a time for one call of the oracle: 64 MB. */
const atOnce = 2 ** 24;

/**
 * One outcome per sample. Every point asked about counts as a candidate. A value that is not finite ends the sample's attempt: 'invalid', unless an
 * example was found before. Nothing is shared between samples, so outcomes do not depend on batch or order.
 */
export async function drive<S extends Space>(
  job: Pick<
    Job<'gradient' | 'scores' | 'decision'>,
    'oracle' | 'batch' | 'goals' | 'threats' | 'random' | 'signal' | 'progress' | 'queries'
  >,
  { space, keep, confidence, attempt }: Drive<S>,
): Promise<Outcome[]> {
  const oracle: AnyOracle = job.oracle;
  const before = job.batch.map((_, of) => oracle.counts(of).queries);
  const spent = (of: number): number => oracle.counts(of).queries - before[of]!;
  const walkers = job.batch.map((sample, of): Walker<S> => {
    const trial: Trial<S> = {
      of,
      sample,
      goal: job.goals[of]!,
      classes: oracle.classes,
      space: space(sample, job.threats[of]!),
      random: (restart) => job.random(of, restart),
      best: () => walkers[of]!.best,
      left: () => (job.queries?.[of] ?? Number.POSITIVE_INFINITY) - spent(of),
      proven(u) {
        walkers[of]!.minimal = u.slice();
      },
    };
    return walkerOf(trial, attempt(trial), confidence);
  });
  job.signal.throwIfAborted();
  for (const walker of walkers) advance(walker, walker.attempt.next());
  for (;;) {
    job.progress(
      walkers.reduce((sum, { question, done }) => sum + (question === undefined ? 1 : done), 0),
      walkers.length,
    );
    const active = walkers.filter(({ question }) => question !== undefined);
    if (active.length === 0) break;
    for (const ask of ['gradient', 'logits', 'labels'] as const) {
      const asking = active.filter((walker) => walker.question?.ask === ask);
      for (const group of slices(asking, ({ question, trial }) => question!.at.length * trial.space.n, atOnce)) {
        job.signal.throwIfAborted();
        const answers = await answersTo(oracle, group);
        group.forEach((walker, k) => {
          resume(walker, answers[k]!, spent(walker.trial.of), keep);
        });
      }
    }
  }
  return walkers.map(outcomeOf);
}

async function answersTo<S extends Space>(oracle: AnyOracle, walkers: readonly Walker<S>[]): Promise<Said[]> {
  const said = await askAll(oracle, walkers[0]!.question!.ask, probesOf(walkers), walkers);
  let from = 0;
  return walkers.map(({ question }) => {
    const [start, end] = [from, from + question!.at.length];
    from = end;
    return {
      loss: said.loss.slice(start, end),
      logits: said.logits.slice(start, end),
      labels: said.labels.slice(start, end),
      gradient: said.gradient.slice(start, end),
    };
  });
}

async function askAll<S extends Space>(
  oracle: AnyOracle,
  ask: Question['ask'],
  probes: readonly Probe[],
  walkers: readonly Walker<S>[],
): Promise<Said> {
  const nothing: Said = { loss: [], logits: [], labels: [], gradient: [] };
  switch (ask) {
    case 'gradient': {
      const losses = walkers.flatMap(({ question }): readonly Loss[] => (question!.ask === 'gradient' ? question!.losses : []));
      return { ...nothing, ...(await oracle.gradient!(probes, losses)) };
    }
    case 'logits':
      return { ...nothing, logits: await oracle.logits!(probes) };
    case 'labels':
      return { ...nothing, labels: await oracle.labels(probes) };
  }
}

/** The points of a group side by side in memory, so that packing them into a batch costs nothing. */
function probesOf<S extends Space>(walkers: readonly Walker<S>[]): Probe[] {
  const probes = walkers.flatMap((walker) =>
    walker.question!.at.map((u) => ({ trial: walker.trial, u, anew: beginsAnew(walker) })),
  );
  const inputs = probes.map(({ trial }): Record<string, Float32Array> => ({ ...trial.sample.inputs }));
  // by name: samples may be attacked at different inputs, or name them in another order
  for (const name of new Set(walkers.flatMap(({ trial }) => trial.space.parts.map((part) => part.name)))) {
    const sizes = probes.map(({ trial }) => trial.space.parts.find((part) => part.name === name)?.x.length);
    const all = new Float32Array(sizes.reduce<number>((sum, size = 0) => sum + size, 0));
    let from = 0;
    for (const [k, size] of sizes.entries()) {
      if (size === undefined) continue;
      inputs[k]![name] = all.subarray(from, from + size);
      from += size;
    }
  }
  return probes.map(({ trial, u, anew }, k) => {
    trial.space.write(u, inputs[k]!);
    return { of: trial.of, inputs: inputs[k]!, ...(anew ? { anew } : {}) };
  });
}

const beginsAnew = <S extends Space>({ question, gradients }: Walker<S>): boolean =>
  question!.ask === 'gradient' && (gradients === 0 || question!.anew === true);
