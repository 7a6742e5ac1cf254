/**
 * Sigma-zero: Adam on the margin plus a smooth count of changed elements; after each step elements that changed by less than an adapted threshold are put back.
 * Paper: Cina, Villani, Pintor, Schoenherr, Biggio, Pelillo, "Sigma-zero: gradient-based optimization of l0-norm adversarial examples", ICLR 2025, algorithm 1.
 * Threat model: white box, l0. Without bounds the box does nothing.
 * Deviations: changes are measured in the width of each element's box (widths.ts), which is 1 in the paper; targeted goals, with the margin of the target;
 * elements that cannot move are not counted; the gradient at the last point, which nobody reads, is not asked for. Of a binary input the model sees changes
 * rounded to flips, and the slope is that of the rounded point (frame/flipping.ts): what is found is made of flips.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, fraction, notNegative, positive, wholeFrom } from '../../kit/option-checks.ts';
import { annealed } from './annealing.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { flippingOf } from './frame/flipping.ts';
import { gradients, logits } from './frame/question.ts';
import { freedomOf } from './frame/space.ts';
import { losses } from './option-checks.ts';
import { widthsOf } from './widths.ts';

const defaults = { steps: 1000, sigma: 1e-3, alpha: 1, alphaFinal: 0.1, threshold: 0.3, adaption: 0.01 };

export const sigmaZero: Attack<'gradient', typeof defaults> = {
  name: 'sigma-zero',
  title: 'fewest changed elements: descent on a smooth count of them, small changes put back',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {
    steps: 'points looked at',
    sigma: 'a change of d widths counts as d^2 / (d^2 + sigma) elements',
    alpha: 'step length of Adam at first, as a share of the width of the box',
    alphaFinal: 'step length it sinks to along a cosine',
    threshold: 'changes below this share of the width are put back, at first',
    adaption: 'by how much of the step length the threshold rises after an example and falls otherwise',
  },
  check: ({ steps, sigma, alpha, alphaFinal, threshold, adaption }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      positive('sigma', sigma),
      positive('alpha', alpha),
      positive('alphaFinal', alphaFinal),
      fraction('threshold', threshold),
      notNegative('adaption', adaption),
    ),
  passes: ({ steps }) => ({ forwards: steps, backwards: steps - 1 }),
  paper: 'Cina et al. 2025, arXiv 2402.01879',
  run: (job, { steps, sigma, alpha, alphaFinal, threshold, adaption }) =>
    drive(job, {
      space: flippingOf,
      keep: 'smallest',
      *attempt({ goal, space, random }) {
        const { n, low, high } = space;
        const widths = widthsOf(space);
        const free = freedomOf(space);
        const noise = random(0).fork('noise');
        const margin = losses.margin!(goal);
        const slope = new Float64Array(n);
        const mean = new Float64Array(n);
        const square = new Float64Array(n);
        let u: Float32Array = new Float32Array(n);
        let tau = threshold;
        let length = alpha;
        for (let k = 0; k < steps - 1; k++) {
          const answer = yield* gradients([u], [margin], k / steps);
          const found = reached(goal, argmax(answer.logits[0]!));
          // the margin counts while the goal is not reached
          const steepest = slopeOf(slope, { u, gradient: answer.gradient[0]!, push: found ? 0 : 1, widths, sigma, free });
          if (steepest === 0) for (let i = 0; i < n; i++) slope[i] = widths[i] === 0 ? 0 : noise.normal();
          const scale = steepest === 0 ? 1 : 1 / steepest;
          const step = length / (1 - 0.9 ** (k + 1));
          const correction = Math.sqrt(1 - 0.999 ** (k + 1));
          length = annealed(alpha, alphaFinal, k / steps);
          tau = Math.min(1, Math.max(0, tau + (found ? adaption : -adaption) * length));
          const next = new Float32Array(n);
          for (let i = 0; i < n; i++) {
            const width = widths[i]!;
            if (width === 0) continue;
            const g = slope[i]! * scale;
            const m = mean[i]! + 0.1 * (g - mean[i]!);
            const s = 0.999 * square[i]! + 0.001 * g * g;
            mean[i] = m;
            square[i] = s;
            const moved = u[i]! + (step * width * m) / (Math.sqrt(s) / correction + 1e-8);
            const inside = moved > high[i]! ? high[i]! : moved < low[i]! ? low[i]! : moved;
            next[i] = Math.abs(inside) < tau * width ? 0 : inside;
          }
          u = next;
        }
        yield* logits([u], 1);
      },
    }),
};

interface Slope {
  readonly u: Float32Array;
  readonly gradient: Float32Array;
  readonly push: number;
  readonly widths: Float64Array;
  readonly sigma: number;
  readonly free: number;
}

/** Slope of push margin - (mean of d^2 / (d^2 + sigma)), with d = u / width, by d; returns its largest absolute value. */
function slopeOf(slope: Float64Array, { u, gradient, push, widths, sigma, free }: Slope): number {
  let steepest = 0;
  for (let i = 0; i < slope.length; i++) {
    const width = widths[i]!;
    if (width === 0) continue;
    const d = u[i]! / width;
    const bottom = d * d + sigma;
    const value = push * gradient[i]! * width - (2 * d * sigma) / (bottom * bottom * free);
    slope[i] = value;
    const size = Math.abs(value);
    if (size > steepest) steepest = size;
  }
  return steepest;
}
