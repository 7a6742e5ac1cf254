/** @file Projected steepest ascent from a start: the core that FGSM, BIM, PGD and MI-FGSM share. Every sample walks alone; only the questions travel in batches. */
import { type Goal, type Loss, reached } from '../../kit/losses/loss.ts';
import type { Inputs } from '../../kit/model/model.ts';
import { argmax } from '../../kit/model/oracle.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Job } from './attack.ts';
import { allFinite, type Deltas, perInput, pointsAt } from './point.ts';

export interface Ascent {
  readonly steps: number;
  readonly restarts: number;
  /** true: a sample leaves at its first success; false: all samples walk to the end and the success with the largest margin is kept. */
  readonly earlyStop: boolean;
  loss(goal: Goal): Loss;
  /** Length of a step in the threat's norm. */
  alpha(threat: Threat): number;
  /** First perturbation of a sample's input, already projected. */
  start(sample: number, restart: number, input: string): Float32Array;
  /** Where to step, from the gradient and the direction of the step before (zeros at first). */
  direction(gradient: Float32Array, before: Float32Array): Float32Array;
}

/** What one sample costs at most: a gradient at every point but the last of a restart, a forward there. */
export const passesOf = (steps: number, restarts: number) => ({ forwards: restarts * (steps + 1), backwards: restarts * steps });

interface Walker {
  readonly of: number;
  readonly deltas: Deltas;
  readonly directions: Deltas;
}

interface Found {
  readonly outcome: Outcome;
  readonly margin: number;
}

const nothing: Found = { outcome: { status: 'failure' }, margin: Number.NEGATIVE_INFINITY };

/** x <- project(x + step(direction)), `steps` times, `restarts` times over; success is looked for at every point, the last included. */
export async function iterate(job: Job<'gradient'>, ascent: Ascent): Promise<Outcome[]> {
  const { oracle, batch, goals, signal } = job;
  const found: Found[] = batch.map(() => nothing);
  const stuck = new Set<number>();
  const active = (of: number): boolean => {
    const { status } = found[of]!.outcome;
    return !stuck.has(of) && (status === 'failure' || (status === 'success' && !ascent.earlyStop));
  };
  const probesOf = (walkers: readonly Walker[]) => {
    const points = pointsAt(
      walkers.map(({ of }) => batch[of]!),
      walkers.map(({ deltas }) => deltas),
    );
    return walkers.map(({ of }, k) => ({ of, inputs: points[k]! }));
  };
  for (let restart = 0; restart < ascent.restarts; restart++) {
    let walkers: Walker[] = batch.flatMap((_, of) => (active(of) ? [startOf(job, ascent, of, restart)] : []));
    for (let step = 0; step < ascent.steps && walkers.length > 0; step++) {
      signal.throwIfAborted();
      const probes = probesOf(walkers);
      const answer = await oracle.gradient(
        probes,
        walkers.map(({ of }) => ascent.loss(goals[of]!)),
      );
      walkers.forEach(({ of }, k) => {
        found[of] = judge(goals[of]!, probes[k]!.inputs, answer.logits[k]!, found[of]!);
        const broken = Object.keys(job.threats[of]!).find((name) => !allFinite(answer.gradient[k]![name]!));
        if (broken === undefined) return;
        stuck.add(of);
        if (found[of]!.outcome.status === 'failure')
          found[of] = invalid(`the gradient of input "${broken}" is not finite at step ${step + 1}`);
      });
      walkers = walkers.flatMap((walker, k) => (active(walker.of) ? [advance(job, ascent, walker, answer.gradient[k]!)] : []));
      job.progress(restart * ascent.steps + step + 1, ascent.restarts * ascent.steps);
    }
    if (walkers.length === 0) continue;
    const probes = probesOf(walkers);
    const logits = await oracle.logits(probes);
    walkers.forEach(({ of }, k) => {
      found[of] = judge(goals[of]!, probes[k]!.inputs, logits[k]!, found[of]!);
    });
  }
  return found.map(({ outcome }) => outcome);
}

function startOf(job: Job<'gradient'>, ascent: Ascent, of: number, restart: number): Walker {
  const deltas = perInput(job.threats[of]!, (_, name) => ascent.start(of, restart, name));
  return { of, deltas, directions: perInput(deltas, (delta) => new Float32Array(delta.length)) };
}

function advance(job: Job<'gradient'>, ascent: Ascent, { of, deltas, directions }: Walker, gradient: Deltas): Walker {
  const threats = job.threats[of]!;
  const next = perInput(directions, (before, name) => ascent.direction(gradient[name]!, before));
  const moved = perInput(threats, (threat, name) => {
    return threat.advance(job.batch[of]!.inputs[name]!, deltas[name]!, next[name]!, ascent.alpha(threat));
  });
  return { of, deltas: moved, directions: next };
}

/** What is known of a sample after one more answer of the model at `inputs`. */
function judge(goal: Goal, inputs: Inputs, logits: Float32Array, before: Found): Found {
  if (!allFinite(logits)) return before.outcome.status === 'success' ? before : invalid('the logits are not finite');
  if (!reached(goal, argmax(logits))) return before;
  const margin = marginOf(goal, logits);
  // a copy: the points of a batch share one array, which would live as long as the one success in it
  return margin > before.margin ? { outcome: { status: 'success', inputs: perInput(inputs, (x) => x.slice()) }, margin } : before;
}

const invalid = (reason: string): Found => ({ outcome: { status: 'invalid', reason }, margin: Number.POSITIVE_INFINITY });

/** By how much the goal is reached: the logits of the classes that fulfil it above those that do not. */
function marginOf(goal: Goal, logits: Float32Array): number {
  let inside = Number.NEGATIVE_INFINITY;
  let outside = Number.NEGATIVE_INFINITY;
  logits.forEach((logit, c) => {
    if (reached(goal, c)) inside = Math.max(inside, logit);
    else outside = Math.max(outside, logit);
  });
  return inside - outside;
}
