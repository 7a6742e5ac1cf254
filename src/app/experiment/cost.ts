/** @file The most a sample can cost at all budgets together: what is foretold before a run, and what a unit may take before it counts as hung. */

import type { ModelFacts } from '../../kit/model/model.ts';
import type { Facts, Passes } from '../../methods/attacks/attack.ts';
import { mostTrials } from './lengthen.ts';
import { factsOf, type Plan, type PlannedAttack } from './plan.ts';

export interface Costing extends Facts {
  readonly budgets: number;
  /** Most queries of the attack at a budget. */
  readonly queries?: number;
}

/** What a plan's attacks on a model are costed by. */
export const costingOf = (plan: Plan, model: Pick<ModelFacts, 'inputs' | 'classes' | 'randoms'>): Costing => ({
  ...factsOf(plan.budgets, model),
  budgets: plan.budgets.length,
  ...(plan.queries === undefined ? {} : { queries: plan.queries }),
});

/** Passes of the attack and of judging it; the clean pass is not among them. Minimum-norm attacks run once, whatever the number of budgets. */
export function mostPasses({ attack, options }: PlannedAttack, { budgets, queries, ...facts }: Costing): Passes {
  const most = attack.passes(options, facts);
  // a question about a model that draws random numbers may be a mean over many passes
  const limit = facts.random === true ? Number.POSITIVE_INFINITY : (queries ?? Number.POSITIVE_INFINITY);
  const [forwards, backwards] = [Math.min(most.forwards, limit), Math.min(most.backwards, limit)];
  // judging: the example as proposed, then rounded (more than once where it is lengthened), then read back
  if (attack.kind === 'minimal') return { forwards: forwards + 1 + budgets * (mostTrials + 1), backwards };
  return { forwards: budgets * (forwards + 3), backwards: budgets * backwards };
}
