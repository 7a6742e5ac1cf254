/**
 * Gumbel flips: every candidate has a logit to flip, learned by Adam from sampled sets of flips; samples are whole flips, slopes those of their soft versions.
 * Paper: Yao, Zhao, Gu, "Exploring vulnerabilities in spiking neural networks: direct adversarial attacks on raw event data", ECCV 2024 (GSAttack).
 * Threat model: white box, l0, binary inputs. Inputs that hold more than two values are left as they are.
 * Reconstruction, hence the other name: the paper's constants and its search on raw events were not at hand. Of two categories (kept, flipped) Gumbel-softmax
 * is the logistic form h = [a + g > 0], g logistic; slopes pass through the sample as if it were sigmoid((a + g) / tau). Raised is the mean margin of the
 * samples, while they do not reach the goal, less what their flips cost: each lambda times what a flip is worth in the mean, to first order at the original, up
 * or down. So lambda means the same whatever the scale of the logits, the size of the input and the height of a surrogate.
 * Deviations: candidates are the events and what is near them, for the paper adds the events of a sample of the target class, which is not handed to an attack
 * here; chances start at `start`, where so few flip that the search begins near the original (the paper's begin at one-hot values, at which every fourth
 * candidate flips); the likeliest set of flips is looked at after every step; the search goes on after the first success, for fewer flips.
 */
import { leadOf } from '../../kit/losses/loss.ts';
import { firstOf, notNegative, positive, wholeFrom } from '../../kit/option-checks.ts';
import { gridOf, isBinary } from '../../kit/threat/grid.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, type Flipping, flippable, flipsOf } from './frame/flipping.ts';
import { gradients, logits } from './frame/question.ts';
import { nearTo } from './neighbourhood.ts';
import { losses } from './option-checks.ts';
import { aboutReduction, anyReductionPasses, checkReduction, type Reduction, reduced } from './reduce-flips.ts';

const defaults = {
  steps: 100,
  samples: 4,
  radius: 2,
  lambda: 0.5,
  tau: 1,
  alpha: 1,
  start: 0.0067,
  limit: 8,
  flips: 'both',
  reduce: 'none',
};

export const gumbelFlip: Attack<'gradient', typeof defaults> = {
  name: 'gumbel-flip',
  title: 'learns the chance of every flip near the events (Gumbel-softmax, in the manner of GSAttack)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    steps: 'steps of the search',
    samples: 'sets of flips drawn at every step',
    radius: 'candidates: how far from an event, in steps of time and places of a frame; of all polarities and channels',
    lambda: 'what a flip costs, as a share of the mean size of what flips are worth at the original',
    tau: 'temperature of the soft version',
    alpha: 'step length of Adam, in logits',
    start: 'chance of every flip at first',
    limit: 'logits stay between -limit and limit',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ steps, samples, radius, lambda, tau, alpha, start, limit, flips, reduce }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      wholeFrom(1, 'samples', samples),
      wholeFrom(0, 'radius', radius),
      notNegative('lambda', lambda),
      positive('tau', tau),
      positive('alpha', alpha),
      positive('limit', limit),
      start > 0 && start < 1 && Math.abs(logit(start)) <= limit
        ? undefined
        : `start is ${start}, but must be a chance whose logit lies between -limit and limit, ${limit}`,
      checkAllowed(flips),
      checkReduction(reduce),
    ),
  passes: ({ steps, samples, reduce }, facts) => ({
    forwards: 1 + steps * (samples + 1) + anyReductionPasses(reduce as Reduction, facts),
    backwards: 1 + steps * samples,
  }),
  paper: 'after Yao et al. 2024 (ECCV), a reconstruction',
  run: (job, { steps, samples, radius, lambda, tau, alpha, start, limit, flips, reduce }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt({ goal, space, random, best, left, proven }) {
        const candidates = candidatesOf(space, radius);
        if (candidates.length === 0) return;
        const chance = random(0).fork('gumbel');
        const margin = losses.margin!(goal);
        const { gradient: first } = yield* gradients([new Float32Array(space.n)], [margin], 0);
        const sizes = candidates.reduce((sum, i) => sum + Math.abs(first[0]![i]! * space.flip[i]!), 0);
        const cost = (lambda * sizes) / candidates.length;
        const a = new Float64Array(candidates.length).fill(logit(start));
        const mean = new Float64Array(candidates.length);
        const square = new Float64Array(candidates.length);
        const drawn = Array.from({ length: samples }, () => ({
          u: new Float32Array(space.n),
          soft: new Float64Array(candidates.length),
        }));
        const likeliest = new Float32Array(space.n);
        for (let step = 0; step < steps; step++) {
          for (const { u, soft } of drawn) {
            for (let k = 0; k < candidates.length; k++) {
              const p = chance.uniform() + 2 ** -25;
              const shifted = a[k]! + Math.log(p / (1 - p));
              const i = candidates[k]!;
              u[i] = shifted > 0 ? space.flip[i]! : 0;
              const s = 1 / (1 + Math.exp(-shifted / tau));
              soft[k] = (s * (1 - s)) / tau;
            }
          }
          const asked = drawn.map(({ u }) => u);
          const { logits: z, gradient } = yield* gradients(
            asked,
            asked.map(() => margin),
            step / steps,
          );
          const push = z.map((scores) => (leadOf(goal, scores) < 0 ? 0 : 1));
          const length = alpha / (1 - 0.9 ** (step + 1));
          const correction = Math.sqrt(1 - 0.999 ** (step + 1));
          for (let k = 0; k < candidates.length; k++) {
            const i = candidates[k]!;
            let slope = 0;
            for (let m = 0; m < samples; m++) slope += drawn[m]!.soft[k]! * (push[m]! * gradient[m]![i]! * space.flip[i]! - cost);
            slope /= samples;
            mean[k] = 0.9 * mean[k]! + 0.1 * slope;
            square[k] = 0.999 * square[k]! + 0.001 * slope * slope;
            const moved = a[k]! + (length * mean[k]!) / (Math.sqrt(square[k]!) / correction + 1e-12);
            a[k] = Math.max(-limit, Math.min(limit, moved));
          }
          for (let k = 0; k < candidates.length; k++) likeliest[candidates[k]!] = a[k]! > 0 ? space.flip[candidates[k]!]! : 0;
          yield* logits([likeliest], (step + 1) / steps);
        }
        const found = best()?.u;
        if (found === undefined) return;
        const order = Array.from(candidates.keys())
          .sort((x, y) => a[x]! - a[y]!)
          .map((k) => candidates[k]!)
          .filter((i) => found[i] !== 0);
        yield* reduced(reduce as Reduction, { goal, u: found, order, left, proven, done: 1 });
      },
    }),
};

const logit = (chance: number): number => Math.log(chance / (1 - chance));

/** The elements that may flip and are near an event; all that may where an input has no event. */
function candidatesOf(space: Flipping, radius: number): number[] {
  const near = new Uint8Array(space.n);
  for (const { x, from, threat } of space.parts) {
    if (!isBinary(threat.input)) continue;
    const grid = gridOf(threat.input)!;
    const events = Uint8Array.from(x, (value, i) => grid.nearest(i, value));
    near.set(events.includes(1) ? nearTo(events, threat.input, radius) : events.fill(1), from);
  }
  return [...flippable(space)].filter((i) => near[i] === 1);
}
