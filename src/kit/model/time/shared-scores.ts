/** @file Decides for every question of an oracle whether its probes are worth running in slices of time. */
import type { Probe } from '../oracle.ts';
import type { ModelSessions } from '../sessions.ts';
import { planShared, runShared, type SharedAnswers, type SharedOptions } from './shared-forward.ts';
import { sliceStarts, timeInput } from './slice-session.ts';

export interface SharedScores {
  /** Time steps of a whole pass; undefined as long as none have been shared. */
  wholePass(): number | undefined;
  /** Logits with common beginnings run once; undefined where too little is shared, or the model cannot be cut. */
  ask(probes: readonly Probe[]): Promise<SharedAnswers | undefined>;
}

/** Fewest probes of a question to be looked at, and the share of time steps above which whole passes cost less than handing on what slices have made. */
export const sharedDefaults = { fewest: 4, most: 0.85 } as const;

/** Undefined for a model without an input whose steps could be shared. */
export function sharedScores(sessions: ModelSessions, options: SharedOptions): SharedScores | undefined {
  const input = timeInput(sessions.model);
  if ('reason' in input || sessions.forwardSliced === undefined) return undefined;
  const starts = sliceStarts(input.steps);
  let isRefused = starts.length < 2;
  let isUsed = false;
  return {
    wholePass: () => (isUsed ? input.steps : undefined),
    async ask(probes) {
      const samples = new Set(probes.map(({ of }) => of)).size;
      if (isRefused || probes.length < sharedDefaults.fewest || 2 * samples > probes.length) return undefined;
      const plan = planShared(probes, input, starts, options);
      if (plan.share > sharedDefaults.most) return undefined;
      const forward = await sessions.forwardSliced!();
      isRefused = 'reason' in forward;
      if ('reason' in forward) return undefined;
      isUsed = true;
      return runShared(sessions.model, forward, probes, input, plan, options);
    },
  };
}
