/**
 * Projected gradient descent: gradient steps from random points of the ball, projected into budget and bounds after each.
 * Paper: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1.
 * Threat model: white box, linf and l2.
 * Order: x + step, then the change into the ball, then the sum into the bounds. 'auto' is 2.5 eps / steps, the rule of the paper's l2 experiments and of
 * its authors' later code: enough to cross the ball and still move on its surface.
 * Deviations: the start is uniform in the ball in both norms; a sample leaves at its first success unless earlyStop is false; the first start is the
 * original where randomStart is false, so further restarts need randomStart.
 */
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { iterate, passesOf } from './iterate.ts';
import { autoOrPositive, losses, stepLength } from './option-checks.ts';

const defaults = { steps: 20, alpha: 'auto' as number | string, restarts: 1, randomStart: true, loss: 'ce', earlyStop: true };

export const pgd: Attack<'gradient', typeof defaults> = {
  name: 'pgd',
  title: 'gradient steps from random starts, projected after each',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'gradient steps of each restart',
    alpha: 'length of a step in the units of the input, or auto: 2.5 eps / steps',
    restarts: 'starts tried while a sample still stands',
    randomStart: 'start uniformly in the ball rather than at the original',
    loss: 'ce (cross-entropy) or margin (difference of logits)',
    earlyStop: 'stop at the first success; false walks on and keeps the success with the largest margin',
  },
  check: ({ steps, alpha, restarts, randomStart, loss }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      autoOrPositive('alpha', alpha),
      wholeFrom(1, 'restarts', restarts),
      oneOf(Object.keys(losses), 'loss', loss),
      restarts > 1 && !randomStart ? `restarts is ${restarts}, but without randomStart every restart is the same` : undefined,
    ),
  passes: ({ steps, restarts }) => passesOf(steps, restarts),
  paper: 'Madry et al. 2018, arXiv 1706.06083',
  run: (job, { steps, alpha, restarts, randomStart, loss, earlyStop }) =>
    iterate(job, {
      steps,
      restarts,
      earlyStop,
      loss: losses[loss]!,
      alpha: ({ eps }) => stepLength(alpha, (2.5 * eps) / steps),
      start(sample, restart, input) {
        const x = job.batch[sample]!.inputs[input]!;
        if (!randomStart) return new Float32Array(x.length);
        const threat = job.threats[sample]![input]!;
        return threat.project(x, threat.random(job.random(sample, restart).fork(input)));
      },
      direction: (gradient) => gradient,
    }),
};
