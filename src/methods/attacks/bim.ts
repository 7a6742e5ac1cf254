/**
 * Basic iterative method: small gradient steps from the original, projected into budget and bounds after each.
 * Paper: Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", ICLR workshop 2017, section 2.2.
 * Threat model: white box, linf; l2 by the same rule with the l2 step and ball.
 * Deviations: the paper takes steps of 1/255, min(eps + 4, 1.25 eps) of them; here their number is an option and 'auto' keeps
 * steps x alpha = 1.25 eps. A sample leaves at its first success unless earlyStop is false.
 */
import { crossEntropy } from '../../kit/losses/loss.ts';
import { firstOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { iterate, passesOf } from './iterate.ts';
import { autoOrPositive, stepLength } from './option-checks.ts';

const defaults = { steps: 10, alpha: 'auto' as number | string, earlyStop: true };

export const bim: Attack<'gradient', typeof defaults> = {
  name: 'bim',
  title: 'gradient steps from the original, projected after each',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'gradient steps',
    alpha: 'length of a step in the units of the input, or auto: 1.25 eps / steps',
    earlyStop: 'stop at the first success; false walks on and keeps the success with the largest margin',
  },
  check: ({ steps, alpha }) => firstOf(wholeFrom(1, 'steps', steps), autoOrPositive('alpha', alpha)),
  passes: ({ steps }) => passesOf(steps, 1),
  paper: 'Kurakin et al. 2017, arXiv 1607.02533',
  run: (job, { steps, alpha, earlyStop }) =>
    iterate(job, {
      steps,
      restarts: 1,
      earlyStop,
      loss: crossEntropy,
      alpha: ({ eps }) => stepLength(alpha, (1.25 * eps) / steps),
      start: (sample, _, input) => new Float32Array(job.batch[sample]!.inputs[input]!.length),
      direction: (gradient) => gradient,
    }),
};
