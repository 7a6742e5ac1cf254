/**
 * Fast minimum norm: gradient steps on the margin, projected into a ball whose radius follows the boundary, estimated to first order until it is first crossed.
 * Paper: Pintor, Roli, Brendel, Biggio, "Fast minimum-norm adversarial attacks through adaptive norm constraints", NeurIPS 2021, algorithm 1.
 * Threat model: white box, linf, l2, l1 and l0. Without bounds the box does nothing.
 * Deviations: lengths are shares of the width of the box (widths.ts), which is 1 in the paper; no start from a known example; the gradient at the last point,
 * which nobody reads, is not asked for; noise in place of a zero gradient; l1 projects into ball and box at once. And where mode is not reference:
 * - the first estimates of the boundary are exceeded by 2 %. On a piecewise linear model they are exact, so that the paper's points stay on the boundary,
 *   and whether they ever cross it is left to rounding;
 * - l0 keeps the elements that could do most for the margin (sparse-step.ts), scales steps by the element that moves most, and starts from an estimate of
 *   the count. The paper keeps the elements that have moved farthest, which are not the right ones where bounds are met; its steps shrink with the root of
 *   the input's size; and its count starts from 1 and does not reach a few hundred elements in a hundred steps.
 * In l0, of a binary input the model sees changes rounded to flips, and the slope is that of the rounded point (frame/flipping.ts).
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { belowOne, firstOf, oneOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import { balls } from '../../kit/threat/lp.ts';
import type { Norm } from '../../kit/threat/threat.ts';
import { annealed } from './annealing.ts';
import type { Attack } from './attack.ts';
import { unitAscent } from './direction.ts';
import { drive } from './frame/drive.ts';
import { flippingOf } from './frame/flipping.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { gradients, logits } from './frame/question.ts';
import { farthest, nearest } from './nearest.ts';
import { losses } from './option-checks.ts';
import { fewestFor, sparseWalk } from './sparse-step.ts';
import { evened, widthsOf } from './widths.ts';

const defaults = { steps: 100, alpha: 1, alphaFinal: 0.01, gamma: 0.05, gammaFinal: 0.001, mode: 'ours' };

/** How far the first estimates of the boundary are exceeded. */
const overshoot = 0.02;

/** The norm a gradient is measured in when a change is measured in the other. */
const dual: Readonly<Record<Exclude<Norm, 'l0'>, Norm>> = { linf: 'l1', l2: 'l2', l1: 'linf' };

export const fmn: Attack<'gradient', typeof defaults> = {
  name: 'fmn',
  title: 'smallest change in any norm: steps projected into a ball that follows the boundary',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['linf', 'l2', 'l1', 'l0'],
  modalities: 'any',
  domains: ['continuous'],
  flipsIn: ['l0'],
  targeted: true,
  defaults,
  about: {
    steps: 'points looked at',
    alpha: 'length of the first step, as a share of the width of the box',
    alphaFinal: 'length the steps sink to along a cosine, as a share of the width of the box',
    gamma: 'share by which the radius shrinks after an example and grows otherwise, at first',
    gammaFinal: 'the share it sinks to along a cosine',
    mode: 'ours, or reference: radius and l0 as in the paper, which may stop on the boundary',
  },
  check: ({ steps, alpha, alphaFinal, gamma, gammaFinal, mode }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      positive('alpha', alpha),
      positive('alphaFinal', alphaFinal),
      belowOne('gamma', gamma),
      belowOne('gammaFinal', gammaFinal),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  passes: ({ steps }) => ({ forwards: steps, backwards: steps - 1 }),
  paper: 'Pintor et al. 2021, arXiv 2102.12827',
  run: (job, { steps, alpha, alphaFinal, gamma, gammaFinal, mode }) =>
    drive(job, {
      space: (sample, threats) => (Object.values(threats)[0]!.norm === 'l0' ? flippingOf : jointOf)(sample, threats),
      keep: 'smallest',
      *attempt({ goal, space, random, best }) {
        const widths = widthsOf(space);
        const metric = space.norm === 'l0' ? widths : evened(widths);
        const noise = random(0).fork('noise');
        const margin = losses.margin!(goal);
        const direction = new Float64Array(space.n);
        const sparse = space.norm === 'l0' && mode === 'ours' ? sparseWalk(space, widths) : undefined;
        const nextRadius = radiusOf(space, { metric, beyond: mode === 'ours' ? 1 + overshoot : 1 });
        let u: Float32Array = new Float32Array(space.n);
        let eps = space.norm === 'l0' ? 1 : Number.POSITIVE_INFINITY;
        for (let k = 0; k < steps - 1; k++) {
          const answer = yield* gradients([u], [margin], k / steps);
          const gradient = answer.gradient[0]!;
          if (sparse !== undefined && k === 0) eps = fewestFor(Math.abs(answer.loss[0]!), gradient, space, widths);
          eps = nextRadius(eps, {
            u,
            gradient,
            loss: answer.loss[0]!,
            crossed: reached(goal, argmax(answer.logits[0]!)),
            least: best()?.size,
            share: annealed(gamma, gammaFinal, k / steps),
          });
          const known = unitAscent(direction, gradient, metric, noise);
          const length = annealed(alpha, alphaFinal, k / steps);
          if (sparse === undefined) {
            for (let i = 0; i < direction.length; i++) direction[i] = u[i]! + length * direction[i]!;
            u = nearest(space, direction, eps);
          } else {
            u = sparse({ u, gradient, direction, known, share: length, count: eps });
          }
        }
        yield* logits([u], 1);
      },
    }),
};

interface Seen {
  readonly u: Float32Array;
  readonly gradient: Float32Array;
  readonly loss: number;
  /** Whether u is an example. */
  readonly crossed: boolean;
  /** Size of the best example so far. */
  readonly least: number | undefined;
  readonly share: number;
}

/** The rule for the ball's radius: an estimate of the boundary's distance before the first example, shrinking and growing by a share afterwards. */
function radiusOf(space: Joint, { metric, beyond }: { metric: Float64Array; beyond: number }) {
  const { norm } = space;
  const limit = farthest(space);
  const grown = (eps: number, { u, gradient, loss, least, share }: Seen): number => {
    if (norm === 'l0') return Math.max(eps + 1, Math.floor(eps * (1 + share)));
    if (least !== undefined) return eps * (1 + share);
    const slope = balls[dual[norm]].size(Float64Array.from(gradient, (g, i) => (metric[i] === 0 ? 0 : g)));
    return slope === 0 ? Number.POSITIVE_INFINITY : beyond * (space.size(u) + Math.abs(loss) / slope);
  };
  const shrunk = (eps: number, { least, share }: Seen): number =>
    norm === 'l0' ? Math.max(0, Math.min(eps - 1, Math.floor(eps * (1 - share)), least!)) : Math.min(eps * (1 - share), least!);
  return (eps: number, seen: Seen): number => Math.min(limit, seen.crossed ? shrunk(eps, seen) : grown(eps, seen));
}
