/** @file Options that several defences share. */
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import { autoOrPositive, stepLength } from '../attacks/option-checks.ts';

export const innerDefaults = { alpha: 'auto' as number | string, mode: 'inference' as string };

export const innerAbout = {
  steps: 'gradient steps of the inner attack',
  alpha: 'length of a step in the units of the input, or auto: 2.5 eps / steps',
  mode: 'inference: the attacked network normalises with its running statistics and has no dropout; training: as in the step itself',
} as const;

export const checkInner = ({ steps, alpha, mode }: { steps: number; alpha: number | string; mode: string }): string | undefined =>
  firstOf(wholeFrom(1, 'steps', steps), autoOrPositive('alpha', alpha), oneOf(['inference', 'training'], 'mode', mode));

/** Enough to cross the ball and still move on its surface. */
export const crossing =
  (alpha: number | string, steps: number) =>
  ({ eps }: Threat): number =>
    stepLength(alpha, (2.5 * eps) / steps);
