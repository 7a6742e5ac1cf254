/** @file How long work on a model may take: a multiple of what one pass of it was measured to take. */
import { drawn } from '../../kit/model/find-coupling.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import type { Inputs, Model } from '../../kit/model/model.ts';
import type { ModelSessions } from '../../kit/model/sessions.ts';
import { defaults } from '../host/limits.ts';
import { type Costing, mostPasses } from './cost.ts';
import type { PlannedAttack } from './plan.ts';

/** Seconds one forward pass of one sample (or one fixed batch) takes, by the faster of two: the first opens the session. */
export async function forwardSeconds(model: Model, sessions: ModelSessions): Promise<number> {
  const oracle = createOracle(sessions, { maxBatch: model.fixedBatch ?? 1 });
  const probe = [{ of: 0, inputs: timed(model) }];
  const times: number[] = [];
  for (let i = 0; i < 2; i++) {
    const started = performance.now();
    await oracle.logits(probe);
    times.push((performance.now() - started) / 1000);
  }
  return Math.min(...times);
}

/** A sample to time a model by. Equal numbers would not do: a loop that runs until its values have grown never ends on zeros. */
export const timed = (model: Pick<Model, 'inputs' | 'graph'>): Inputs => drawn(model, 'timed');

export interface Work extends Costing {
  readonly planned: PlannedAttack;
  readonly samples: number;
  /** Seconds of one forward pass, and of opening the model: a session with gradients has to be opened, too. */
  readonly forward: number;
  readonly open: number;
}

/** Seconds a first look at a model may take that took `open` seconds to open, before it counts as hung. */
export const firstLook = (open: number): number => Math.ceil(defaults.least + defaults.slack * open);

/** Seconds an attack on so many samples may take before it counts as hung. */
export function allowance({ planned, samples, forward, open, ...costing }: Work): number {
  const most = mostPasses(planned, costing);
  const passes = 1 + most.forwards + defaults.backward * most.backwards;
  return Math.ceil(defaults.least + defaults.slack * (open + samples * passes * forward));
}
