/**
 * Decoupled direction and norm: gradient steps give the direction, and the norm shrinks or grows by a factor according to whether the last point was an example.
 * Paper: Rony, Hafemann, Oliveira, Ben Ayed, Sabourin, Granger, "Decoupling direction and norm for efficient gradient-based L2 adversarial attacks and
 * defenses", CVPR 2019, algorithm 1.
 * Threat model: white box, l2. Without bounds the box does nothing.
 * Deviations: lengths are shares of the width of the box (widths.ts), which is 1 in the paper; no rounding to levels unless asked for, since what is saved
 * is rounded with its budget in mind; the gradient at the last point, which nobody reads, is not asked for; noise in place of a zero gradient has unit length,
 * and the loss is the margin from then on, since a cross-entropy that has underflowed does not come back.
 */
import { UserError } from '../../core/errors.ts';
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { belowOne, firstOf, oneOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import { balls } from '../../kit/threat/lp.ts';
import { annealed } from './annealing.ts';
import type { Attack } from './attack.ts';
import { unitAscent } from './direction.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { gradients, logits } from './frame/question.ts';
import { farthest } from './nearest.ts';
import { losses } from './option-checks.ts';
import { evened, widthOf, widthsOf } from './widths.ts';

const boundless = (levels: number): UserError =>
  new UserError(
    `ddn cannot round to ${levels} levels where an input has no bounds`,
    'leave levels out, or give the input bounds',
  );

const defaults = { steps: 100, initEps: 1, gamma: 0.05, alpha: 1, alphaFinal: 0.01, loss: 'ce', levels: 0 };

export const ddn: Attack<'gradient', typeof defaults> = {
  name: 'ddn',
  title: 'smallest l2 change: direction by gradient, norm by what the last point showed',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'points looked at',
    initEps: 'first norm, as a share of the width of the box',
    gamma: 'share by which the norm shrinks after an example and grows otherwise',
    alpha: 'length of the first step, as a share of the width of the box',
    alphaFinal: 'length the steps sink to along a cosine, as a share of the width of the box',
    loss: 'ce (cross-entropy) or margin (difference of logits)',
    levels: 'round every point to so many values between the bounds; 0: none',
  },
  check: ({ steps, initEps, gamma, alpha, alphaFinal, loss, levels }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      positive('initEps', initEps),
      belowOne('gamma', gamma),
      positive('alpha', alpha),
      positive('alphaFinal', alphaFinal),
      oneOf(Object.keys(losses), 'loss', loss),
      wholeFrom(0, 'levels', levels),
      levels === 1 ? 'levels is 1, but between two bounds there are at least 2' : undefined,
    ),
  admit({ levels }, { unbounded }) {
    if (levels > 0 && unbounded) throw boundless(levels);
  },
  passes: ({ steps }) => ({ forwards: steps, backwards: steps - 1 }),
  paper: 'Rony et al. 2019, arXiv 1811.09600',
  run: (job, { steps, initEps, gamma, alpha, alphaFinal, loss, levels }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt({ goal, space, random }) {
        const widths = widthsOf(space);
        const metric = evened(widths);
        const noise = random(0).fork('noise');
        const limit = farthest(space);
        let maximised = losses[loss]!(goal);
        const direction = new Float64Array(space.n);
        let u: Float32Array = new Float32Array(space.n);
        let eps = initEps * widthOf(widths);
        for (let k = 0; k < steps - 1; k++) {
          const answer = yield* gradients([u], [maximised], k / steps);
          if (!unitAscent(direction, answer.gradient[0]!, metric, noise)) maximised = losses.margin!(goal);
          const length = annealed(alpha, alphaFinal, k / steps);
          for (let i = 0; i < direction.length; i++) direction[i] = u[i]! + length * direction[i]!;
          eps = Math.min(limit, eps * (reached(goal, argmax(answer.logits[0]!)) ? 1 - gamma : 1 + gamma));
          const rescaled = Float32Array.from(balls.l2.ascent(direction, eps, () => 1));
          u = levels === 0 ? space.clip(rescaled) : toLevels(space, space.clip(rescaled), levels);
        }
        yield* logits([u], 1);
      },
    }),
};

/** Every element at the nearest of `levels` equally spaced values between its bounds. */
function toLevels({ low, high }: Joint, u: Float32Array, levels: number): Float32Array {
  return u.map((value, i) => {
    const [least, width] = [low[i]!, high[i]! - low[i]!];
    if (width === 0) return value;
    if (width === Number.POSITIVE_INFINITY) throw boundless(levels);
    return least + (Math.round(((value - least) / width) * (levels - 1)) * width) / (levels - 1);
  });
}
