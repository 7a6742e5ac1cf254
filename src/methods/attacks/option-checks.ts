/** @file What the options that several attacks share may be, and what they mean, beside the checks of kit/option-checks.ts. */
import { crossEntropy, type Goal, type Loss } from '../../kit/losses/loss.ts';

export const autoOrPositive = (name: string, value: number | string): string | undefined =>
  value === 'auto' || (typeof value === 'number' && value > 0 && Number.isFinite(value))
    ? undefined
    : `${name} is ${value}, but must be "auto" or a number above 0`;

/** A step length: the number given, in the units of the input, or what 'auto' stands for. */
export const stepLength = (alpha: number | string, auto: number): number => (typeof alpha === 'number' ? alpha : auto);

/** Losses by name, as something to maximise. margin: the logits' lead of the label (untargeted, lowered) or of the target (raised). */
export const losses: Readonly<Record<string, (goal: Goal) => Loss>> = {
  ce: crossEntropy,
  margin: (goal) => (goal.kind === 'targeted' ? { label: goal.target, margin: 1 } : { label: goal.label, margin: -1 }),
};
