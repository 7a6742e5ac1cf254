/** @file A suite as an attack: what the parts are is all that tells one suite from another. */
import { UserError } from '../../../core/errors.ts';
import type { Norm, Threat } from '../../../kit/threat/threat.ts';
import type { Attack, Facts, Job, Passes } from '../attack.ts';
import { cascade, type SuitePart } from './cascade.ts';

/** What `parts` of an attack says of a part. */
export const partRecord = ({ name, attack, options }: SuitePart) => ({ name, attack: attack.name, options });

/** The most a sample can cost that stands to the end: all parts together, FAB and the like at what they announce. */
export function passesOfParts(parts: readonly SuitePart[], facts: Facts): Passes {
  const each = parts.map(({ attack, options }) => attack.passes(options, facts));
  return {
    forwards: each.reduce((sum, { forwards }) => sum + forwards, 0),
    backwards: each.reduce((sum, { backwards }) => sum + backwards, 0),
  };
}

/** The norm all attacked inputs share, or undefined where they differ. */
export function sharedNorm(threats: Readonly<Record<string, Threat>>): Norm | undefined {
  const norms = new Set(Object.values(threats).map(({ norm }) => norm));
  return norms.size === 1 ? [...norms][0] : undefined;
}

/** Runs the parts that `choose` names for the job's classes and norm. */
export function runSuite(job: Job<'gradient'>, choose: (facts: Facts) => readonly SuitePart[]) {
  const [threats] = job.threats;
  if (threats === undefined) return Promise.resolve([]);
  const norm = Object.values(threats)[0]!.norm;
  const mixed = sharedNorm(threats) === undefined;
  const random = job.oracle.drawing !== undefined;
  return cascade(job, choose({ classes: job.oracle.classes, norm, mixed, random }));
}

/** A part that keeps to an attack's options by type. */
export const part = <N extends Attack['needs'], O extends Attack['defaults']>(
  name: string,
  attack: Attack<N, O>,
  options: Partial<O> = {},
): SuitePart => ({ name, attack: attack as unknown as Attack, options: { ...attack.defaults, ...options } });

export function refuseFewClasses(suite: string, classes: number, least: number): void {
  if (classes >= least) return;
  throw new UserError(
    `${suite} needs at least ${least} classes, the model has ${classes}: its targeted loss reads the four largest logits`,
    'use the suite worst-case, which chooses its losses by the number of classes',
  );
}
