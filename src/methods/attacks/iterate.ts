/** @file Projected steepest ascent from a start: the core that FGSM, BIM, PGD and MI-FGSM share. */
import type { Goal, Loss } from '../../kit/losses/loss.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Job } from './attack.ts';
import { drive } from './frame/drive.ts';
import { productOf } from './frame/product.ts';
import { gradients, logits } from './frame/question.ts';

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
  /** Where to step, from an input's gradient and the direction of the step before (zeros at first). */
  direction(gradient: Float32Array, before: Float32Array): Float32Array;
}

/** What one sample costs at most: a gradient at every point but the last of a restart, a forward there. */
export const passesOf = (steps: number, restarts: number) => ({ forwards: restarts * (steps + 1), backwards: restarts * steps });

/** x <- project(x + step(direction)), `steps` times, `restarts` times over; success is looked for at every point, the last included. */
export const iterate = (job: Job<'gradient'>, ascent: Ascent): Promise<Outcome[]> =>
  drive(job, {
    space: productOf,
    keep: ascent.earlyStop ? 'first' : 'widest',
    *attempt({ of, goal, space }) {
      const { steps, restarts } = ascent;
      for (let restart = 0; restart < restarts; restart++) {
        let u = space.each(({ name }) => ascent.start(of, restart, name));
        let direction: Float32Array = new Float32Array(space.n);
        for (let step = 0; step < steps; step++) {
          const done = (restart * steps + step) / (restarts * steps);
          const { gradient } = yield* gradients([u], [ascent.loss(goal)], done, step === 0);
          direction = space.each((_, g, before) => ascent.direction(g!, before!), gradient[0]!, direction);
          u = space.each(({ x, threat }, v, towards) => threat.advance(x, v!, towards!, ascent.alpha(threat)), u, direction);
        }
        yield* logits([u]);
      }
    },
  });
