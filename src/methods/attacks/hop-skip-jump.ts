/**
 * HopSkipJump: walks along the boundary of a decision by the direction in which labels turn, estimated from random points around it.
 * Paper: Chen, Jordan, Wainwright, "HopSkipJumpAttack: a query-efficient decision-based attack", IEEE S&P 2020, algorithm 2.
 * Threat model: black box, labels only; l2 and linf.
 * theta = gamma / d^1.5 (l2) or gamma / d^2 (linf) is where the search for the boundary ends, as a share of the way; delta = gamma |u| / d.
 * Deviations: the directions are uniform on the sphere in linf too, for the mean of an estimate from points of a cube does not point along the gradient;
 * delta keeps above the rounding of float32 and follows the paper's rule from the first step on; d counts the elements that may move; the start is the
 * one from which the boundary is nearest of ten random points (random-start.ts), never another sample, and a sample without one fails alone; the search
 * for a step ends after 24 halvings; the whole costs at most `queries`. The authors' grid search for the step size is not offered, nor a start of one's
 * own. Without bounds starts are drawn at growing distances.
 */

import { firstOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { boundaryNormal } from './boundary-normal.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { freedomOf } from './frame/space.ts';
import { askerOf, finest, halvings, ontoBoundary, randomStart } from './random-start.ts';
import { unitsOf } from './widths.ts';

const defaults = { steps: 50, evaluations: 100, mostEvaluations: 10_000, gamma: 1, tries: 100, queries: 10_000 };

export const hopSkipJump: Attack<'decision', typeof defaults> = {
  name: 'hop-skip-jump',
  title: 'estimates the normal of the boundary from labels and walks along it',
  needs: 'decision',
  kind: 'minimal',
  norms: ['l2', 'linf'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'moves along the boundary',
    evaluations: 'points of the first estimate; step t takes sqrt(t) times as many',
    mostEvaluations: 'most points of one estimate',
    gamma: 'how coarsely the boundary is searched for, and how far the points of an estimate lie, both relative to the change',
    tries: 'random points tried for a first example',
    queries: 'most queries of one sample',
  },
  check: ({ steps, evaluations, mostEvaluations, gamma, tries, queries }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      wholeFrom(2, 'evaluations', evaluations),
      wholeFrom(2, 'mostEvaluations', mostEvaluations),
      positive('gamma', gamma),
      wholeFrom(1, 'tries', tries),
      wholeFrom(1, 'queries', queries),
    ),
  passes: ({ queries }) => ({ forwards: queries, backwards: 0 }),
  paper: 'Chen, Jordan and Wainwright 2020, arXiv 1904.02144',
  run: (job, { steps, evaluations, mostEvaluations, gamma, tries, queries }) => {
    const limits = job.batch.map((_, of) => Math.min(queries, job.queries?.[of] ?? queries));
    return drive(
      { ...job, queries: limits },
      {
        space: jointOf,
        keep: 'smallest',
        *attempt({ of, goal, space, random, left }) {
          const d = freedomOf(space);
          if (d === 0) return;
          const ask = askerOf(goal, () => 1 - left() / limits[of]!);
          const theta = space.norm === 'linf' ? gamma / d ** 2 : gamma / d ** 1.5;
          const start = yield* randomStart(space, ask, random(0).fork('start'), tries);
          if (start === undefined) return;
          let u = yield* ontoBoundary(space, ask, start, theta);
          const noise = random(0).fork('noise');
          const units = unitsOf(space);
          for (let t = 1; t <= steps; t++) {
            const size = space.size(u);
            const planned = Math.floor(Math.min(mostEvaluations, evaluations * Math.sqrt(t)));
            const count = Math.min(planned, left() - halvings(theta) - 2);
            if (count < 2) return;
            const delta = Math.max((gamma * size) / d, coarse * grainOf(space, units, u) * Math.sqrt(d));
            const normal = yield* boundaryNormal(space, ask, noise, u, { delta, count });
            const direction = steepest(space, normal);
            for (let step = size / Math.sqrt(t); step > finest * size; step /= 2) {
              const moved = space.clip(u.map((value, i) => value + step * direction[i]!));
              const [hit] = yield* ask([moved]);
              if (!hit) continue;
              u = yield* ontoBoundary(space, ask, moved, theta);
              break;
            }
          }
        },
      },
    );
  },
};

/** Noise is at least so many times as large, element by element, as the rounding of the input it is added to. */
const coarse = 8;

/** Root mean square of what float32 loses of an element of x + u that can move, in the units of u. */
function grainOf({ parts }: Joint, units: Float32Array, u: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (const { from, x } of parts) {
    for (let i = 0; i < x.length; i++) {
      const unit = units[from + i]!;
      if (unit === 0) continue;
      const value = Math.abs(x[i]!) / unit + Math.abs(u[from + i]!);
      sum += value * value;
      count++;
    }
  }
  return finest * Math.sqrt(sum / count);
}

/** The direction of steepest ascent of size 1: the unit vector in l2, signs in linf. */
function steepest({ norm }: Joint, normal: Float64Array): Float64Array {
  if (norm === 'linf') return normal.map((value) => Math.sign(value));
  const length = Math.sqrt(normal.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? normal : normal.map((value) => value / length);
}
