/** @file A suite as an attack: what the parts are is all that tells one suite from another. */
import { UserError } from '../../../core/errors.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import { isBinary } from '../../../kit/threat/grid.ts';
import { type Attack, type Facts, flips, type Job, onlyFlips, type Passes } from '../attack.ts';
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

/** Whether an attack keeps to norms and values of all inputs together; one that looks for the smallest change needs one norm for all. */
export const suits = (attack: Attack, { norms, binary = false }: Facts): boolean =>
  norms.every((norm) => attack.norms.includes(norm) && (!binary || flips(attack, norm))) &&
  (attack.kind === 'bounded' || norms.length === 1) &&
  (binary || !onlyFlips(attack));

/** Runs the parts that `choose` names for the job's classes, norms and inputs. */
export function runSuite(job: Job<'gradient'>, choose: (facts: Facts) => readonly SuitePart[]) {
  const [threats] = job.threats;
  if (threats === undefined) return Promise.resolve([]);
  const inputs = Object.values(threats);
  const facts: Facts = {
    classes: job.oracle.classes,
    norms: [...new Set(inputs.map(({ norm }) => norm))],
    binary: inputs.some(({ input }) => isBinary(input)),
    random: job.oracle.drawing !== undefined,
    elements: inputs.reduce((sum, { input }) => sum + sizeOf(input.shape), 0),
  };
  return cascade(job, choose(facts));
}

/** A part that keeps to an attack's options by type. */
export const part = <N extends Attack['needs'], O extends Attack['defaults']>(
  name: string,
  attack: Attack<N, O>,
  options: Partial<O> = {},
): SuitePart => ({ name, attack: attack as unknown as Attack, options: { ...attack.defaults, ...options } });

/** Throws a UserError where a suite is not defined for so few classes. */
export function refuseFewClasses(suite: string, classes: number, least: number): void {
  if (classes >= least) return;
  throw new UserError(
    `${suite} needs at least ${least} classes, the model has ${classes}: its targeted loss reads the four largest logits`,
    'use the suite worst-case, which chooses its losses by the number of classes',
  );
}
