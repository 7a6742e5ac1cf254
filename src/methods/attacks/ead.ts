/**
 * Elastic-net attack: FISTA on c times what the logits lack plus the squared l2 size, where shrinking adds beta times the l1 size, and a search for c.
 * Paper: Chen, Sharma, Zhang, Yi, Hsieh, "EAD: elastic-net attacks to deep neural networks via adversarial examples", AAAI 2018, algorithm 1.
 * Threat model: white box, l1. Without bounds nothing holds an element back.
 * As in the paper the threshold stays beta while the step length sinks with a square root, so that the pull towards 0 grows from beta / lr on.
 * Deviations: lengths are shares of the width of the box (widths.ts); the points y that FISTA looks ahead to are clipped to the box; they count as examples
 * too where they are some, beside the iterates x that the paper judges; the abort is every sample's own. The rule is l1, and beta .03 where the paper has
 * .001: measured over .001 .. .3, l1 sizes on nets fell by a third, and by a fifteenth from .01; 300 steps where the paper takes 1000.
 */
import { leadOf, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, notNegative, oneOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { constantSearch } from './constant-search.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { gradients, logits } from './frame/question.ts';
import { losses } from './option-checks.ts';
import { widthOf, widthsOf } from './widths.ts';

const defaults = { searches: 9, steps: 300, lr: 0.01, beta: 0.03, kappa: 0, c0: 1e-3, abortEarly: true, rule: 'l1' };

export const ead: Attack<'gradient', typeof defaults> = {
  name: 'ead',
  title: 'smallest l1 change by shrinking steps: elastic net, for the best c (EAD)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l1'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    searches: 'constants c tried: ten times the last one until an example is found, then halves',
    steps: 'steps with each c',
    lr: 'length of the first step; it sinks with the square root of the steps left',
    beta: 'weight of the l1 size: what every step takes from every element, as a share of the width of the box',
    kappa: 'by how much, in logits, an example must reach the goal',
    c0: 'first c',
    abortEarly: 'leave a c where a tenth of the steps brought less than 1/10000',
    rule: 'which example is kept: l1 (the smallest) or en (the smallest beta |u|_1 + |u|_2^2)',
  },
  check: ({ searches, steps, lr, beta, kappa, c0, rule }) =>
    firstOf(
      wholeFrom(1, 'searches', searches),
      wholeFrom(1, 'steps', steps),
      positive('lr', lr),
      notNegative('beta', beta),
      notNegative('kappa', kappa),
      positive('c0', c0),
      oneOf(['l1', 'en'], 'rule', rule),
    ),
  passes: ({ searches, steps }) => ({ forwards: 2 * searches * steps, backwards: searches * steps }),
  paper: 'Chen et al. 2018, arXiv 1709.04114',
  run: (job, { searches, steps, lr, beta, kappa, c0, abortEarly, rule }) =>
    drive(job, {
      space: (sample, threats) => (rule === 'l1' ? jointOf(sample, threats) : byElasticNet(jointOf(sample, threats), beta)),
      keep: 'smallest',
      confidence: kappa,
      *attempt({ goal, space }) {
        const loss = losses.margin!(goal);
        const search = constantSearch(c0, searches);
        const width = widthOf(widthsOf(space));
        const every = Math.ceil(steps / 10);
        const lackingAt = (z: Float32Array): number => Math.max(0, leadOf(goal, z) + kappa);
        for (let s = 0; s < searches; s++) {
          let before = Number.POSITIVE_INFINITY;
          let found = false;
          let x = new Float32Array(space.n);
          let y = x;
          for (let k = 0; k < steps; k++) {
            const answer = yield* gradients([y], [loss], (s + k / steps) / searches);
            const lacking = lackingAt(answer.logits[0]!);
            if (abortEarly && k % every === 0) {
              const objective = sizesOf(y).squares / width ** 2 + search.c * lacking;
              if (!(objective <= 0.9999 * before)) break;
              before = objective;
            }
            const next = shrunk(space, y, answer.gradient[0]!, {
              c: lacking > 0 ? search.c * width ** 2 : 0,
              step: lr * Math.sqrt(1 - k / steps),
              threshold: beta * width,
            });
            y = ahead(space, next, x, k / (k + 3));
            x = next;
            const [z] = yield* logits([x]);
            found ||= lackingAt(z!) === 0 && reached(goal, argmax(z!));
          }
          search.tried(found);
        }
      },
    }),
};

interface Shrinking {
  readonly c: number;
  readonly step: number;
  readonly threshold: number;
}

/** A step down |u|^2 minus c times a loss of this gradient, then every element towards 0 by the threshold, and into the box. */
function shrunk(
  { n, low, high }: Joint,
  y: Float32Array,
  gradient: Float32Array,
  { c, step, threshold }: Shrinking,
): Float32Array<ArrayBuffer> {
  const x = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const moved = y[i]! - step * (2 * y[i]! - c * gradient[i]!);
    const near = moved > threshold ? moved - threshold : moved < -threshold ? moved + threshold : 0;
    x[i] = near < low[i]! ? low[i]! : near > high[i]! ? high[i]! : near;
  }
  return x;
}

/** x and `momentum` times its last move, inside the box. */
function ahead({ n, low, high }: Joint, x: Float32Array, last: Float32Array, momentum: number): Float32Array<ArrayBuffer> {
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const value = x[i]! + momentum * (x[i]! - last[i]!);
    y[i] = value < low[i]! ? low[i]! : value > high[i]! ? high[i]! : value;
  }
  return y;
}

/** The space where sizes are beta |u|_1 + |u|_2^2, in widths. */
function byElasticNet(space: Joint, beta: number): Joint {
  const width = widthOf(widthsOf(space));
  return {
    ...space,
    size(u) {
      const { sum, squares } = sizesOf(u);
      return (beta * sum) / width + squares / width ** 2;
    },
  };
}

function sizesOf(u: Float32Array): { sum: number; squares: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < u.length; i++) {
    sum += Math.abs(u[i]!);
    squares += u[i]! * u[i]!;
  }
  return { sum, squares };
}
