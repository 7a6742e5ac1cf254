/**
 * Momentum iterative method: steps along a running sum of normalised gradients, which transfers better than the gradients themselves.
 * Paper: Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, algorithm 1: g <- mu g + grad / |grad|_1, x <- clip(x + alpha sign g).
 * Threat model: white box, linf; l2 by the paper's equation 8.
 * Deviations: the gradient is divided by the mean of its absolute values, not their sum (the same direction), over all axes of the sample, each input
 * apart; a zero gradient adds nothing to the momentum instead of 0/0. 'auto' is the paper's eps / steps. A sample leaves at its first success
 * unless earlyStop is false.
 */
import { crossEntropy } from '../../kit/losses/loss.ts';
import { firstOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { iterate, passesOf } from './iterate.ts';
import { autoOrPositive, stepLength } from './option-checks.ts';

const defaults = { steps: 10, alpha: 'auto' as number | string, mu: 1, earlyStop: true };

export const mifgsm: Attack<'gradient', typeof defaults> = {
  name: 'mifgsm',
  title: 'gradient steps with momentum, for transfer',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'gradient steps',
    alpha: 'length of a step in the units of the input, or auto: eps / steps',
    mu: 'how much of the momentum is kept, 0 (none) or more',
    earlyStop: 'stop at the first success; false walks on and keeps the success with the largest margin',
  },
  check: ({ steps, alpha, mu }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      autoOrPositive('alpha', alpha),
      mu >= 0 && Number.isFinite(mu) ? undefined : `mu is ${mu}, but must be 0 or more`,
    ),
  passes: ({ steps }) => passesOf(steps, 1),
  paper: 'Dong et al. 2018, arXiv 1710.06081',
  run: (job, { steps, alpha, mu, earlyStop }) =>
    iterate(job, {
      steps,
      restarts: 1,
      earlyStop,
      loss: crossEntropy,
      alpha: ({ eps }) => stepLength(alpha, eps / steps),
      start: (sample, _, input) => new Float32Array(job.batch[sample]!.inputs[input]!.length),
      direction(gradient, before) {
        let total = 0;
        for (let i = 0; i < gradient.length; i++) total += Math.abs(gradient[i]!);
        const factor = total === 0 ? 0 : gradient.length / total;
        const next = new Float32Array(gradient.length);
        for (let i = 0; i < gradient.length; i++) next[i] = mu * before[i]! + gradient[i]! * factor;
        return next;
      },
    }),
};
