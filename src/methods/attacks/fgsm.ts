/**
 * Fast gradient sign method: one step of the full budget along the gradient of the cross-entropy.
 * Paper: Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4.
 * Threat model: white box, linf; in l2 the step is eps g / |g| (the fast gradient method of later libraries).
 * Deviations: the result is clipped to the bounds of the input; a zero gradient moves nothing.
 */
import { crossEntropy } from '../../kit/losses/loss.ts';
import type { Attack } from './attack.ts';
import { iterate, passesOf } from './iterate.ts';

const defaults = {};

export const fgsm: Attack<'gradient', typeof defaults> = {
  name: 'fgsm',
  title: 'one gradient step of the full budget',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {},
  passes: () => passesOf(1, 1),
  paper: 'Goodfellow et al. 2015, arXiv 1412.6572',
  run: (job) =>
    iterate(job, {
      steps: 1,
      restarts: 1,
      earlyStop: true,
      loss: crossEntropy,
      alpha: (threat) => threat.eps,
      start: (sample, _, input) => new Float32Array(job.batch[sample]!.inputs[input]!.length),
      direction: (gradient) => gradient,
    }),
};
