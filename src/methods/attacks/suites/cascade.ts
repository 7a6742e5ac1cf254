/** @file A suite: attacks one after the other, each on the samples that all before it left standing. */

import { decisionView, scoreView } from '../../../kit/model/make-oracle.ts';
import type { Sample } from '../../../kit/model/model.ts';
import type { GradientOracle, Probe } from '../../../kit/model/oracle.ts';
import type { Options } from '../../../kit/options.ts';
import type { Outcome } from '../../../kit/record/outcome.ts';
import type { Threat } from '../../../kit/threat/threat.ts';
import type { Attack, Job } from '../attack.ts';

/** One attack of a suite; `name` is how the suite calls it, and part of its random streams. */
export interface SuitePart {
  readonly name: string;
  readonly attack: Attack;
  readonly options: Options;
}

/**
 * Runs the parts in order. A sample leaves with the first example that is inside its budget, and `by` says who found it. A sample that stands is
 * 'invalid' where a part could not judge it: a suite vouches for all its parts.
 */
export async function cascade(job: Job<'gradient'>, parts: readonly SuitePart[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = job.batch.map(() => ({ status: 'failure' }));
  const before = job.batch.map((_, of) => job.oracle.counts(of).queries);
  const spent = (of: number): number => job.oracle.counts(of).queries - before[of]!;
  for (const [k, part] of parts.entries()) {
    const standing = outcomes.flatMap(({ status }, of) => (status === 'success' ? [] : [of]));
    if (standing.length === 0) break;
    const sofar = standing.map(spent);
    const queries = job.queries && { queries: standing.map((of, i) => job.queries![of]! - sofar[i]!) };
    const found = await part.attack.run({ ...partJob(job, part, standing, k, parts.length), ...queries }, part.options);
    for (const [i, of] of standing.entries()) {
      const outcome = found[i]!;
      const foundAt = outcome.foundAt === undefined ? {} : { foundAt: sofar[i]! + outcome.foundAt };
      if (outcome.status === 'success' && inBudget(job.batch[of]!, job.threats[of]!, outcome))
        outcomes[of] = { ...outcome, ...foundAt, by: part.name };
      else if (outcome.status === 'invalid' && outcomes[of]!.status === 'failure')
        outcomes[of] = { ...outcome, reason: `${part.name}: ${outcome.reason}` };
    }
  }
  return outcomes;
}

/** The job of one part: the samples that stand, streams of its own, only what it may ask, and what is left of the queries. */
function partJob(
  job: Job<'gradient'>,
  { name, attack }: SuitePart,
  standing: readonly number[],
  k: number,
  of: number,
): Job<Attack['needs']> {
  const oracle = oracleOf(job.oracle, standing);
  const views = { gradient: oracle, scores: scoreView(oracle), decision: decisionView(oracle), none: undefined };
  const at = <T>(list: readonly T[]): T[] => standing.map((i) => list[i]!);
  return {
    ...job,
    oracle: views[attack.needs],
    batch: at(job.batch),
    goals: at(job.goals),
    threats: at(job.threats),
    random: (i, restart) => job.random(standing[i]!, restart).fork(name),
    progress: (done, all) => job.progress(k + (all === 0 ? 1 : done / all), of),
  };
}

/** The oracle for some of the samples, numbered anew: also where it answers with means over draws. */
function oracleOf(oracle: GradientOracle, standing: readonly number[]): GradientOracle {
  const renumbered = (probes: readonly Probe[]): Probe[] => probes.map((probe) => ({ ...probe, of: standing[probe.of]! }));
  const { drawing } = oracle;
  return {
    classes: oracle.classes,
    counts: (of) => oracle.counts(standing[of]!),
    labels: (probes) => oracle.labels(renumbered(probes)),
    logits: (probes) => oracle.logits(renumbered(probes)),
    gradient: (probes, losses) => oracle.gradient(renumbered(probes), losses),
    ...(drawing === undefined ? {} : { drawing: (draws: number) => oracleOf(drawing(draws), standing) }),
  };
}

/** A minimum-norm attack may propose an example beyond the budget. */
function inBudget({ inputs }: Sample, threats: Readonly<Record<string, Threat>>, { inputs: found = {} }: Outcome): boolean {
  return Object.entries(threats).every(([name, threat]) => {
    const x = inputs[name]!;
    return threat.size(found[name]!.map((value, i) => value - x[i]!)) <= threat.eps * (1 + 1e-6) + rounding(threat, x);
  });
}

/** What rounding x + delta to float32 may add to a size: half a unit in the last place of each element. */
const rounding = ({ norm }: Threat, x: Float32Array): number => {
  if (norm === 'l0') return 0;
  const ulp = x.reduce((most, value) => Math.max(most, Math.abs(value)), 1) * 2 ** -24;
  return norm === 'linf' ? ulp : ulp * (norm === 'l2' ? Math.sqrt(x.length) : x.length);
};
