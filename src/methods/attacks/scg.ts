/**
 * SCG: gradients become spikes by chance (gradient-to-spike sampling); where the gradient has vanished, random spikes flip (restricted spike flipper).
 * Paper: Liang, Hu, Deng, Wu, Li, Ding, Li, Xie, "Exploring adversarial attack in spiking neural networks with spike-compatible gradient", IEEE Trans. Neural
 * Networks and Learning Systems 2021, for event data.
 * Threat model: white box, l0, binary inputs. Inputs that hold more than two values are left as they are.
 * Each step keeps an entry with the probability |g| / max |g|, and sets the entries kept to the upper value where g > 0, to the lower one where g < 0, g being
 * the slope of the cross-entropy (reversed towards a class). It stops at the first success.
 * Deviations: the threshold of the penultimate layer is not raised, for that changes the model; entries that may not flip are not counted in max |g|;
 * samples that still stand after the steps return the original. 25 steps and a turnover of .05 are those of the authors' code.
 */
import type { Stream } from '../../core/tensor/random.ts';
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, fraction, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, type Flipping, flipsOf } from './frame/flipping.ts';
import { gradients, logits } from './frame/question.ts';
import { losses } from './option-checks.ts';
import { aboutReduction, anyReductionPasses, checkReduction, type Reduction, reduced } from './reduce-flips.ts';

const defaults = { steps: 25, turnover: 0.05, loss: 'ce', flips: 'both', reduce: 'none' };

export const scg: Attack<'gradient', typeof defaults> = {
  name: 'scg',
  title: 'spikes set by chance, in proportion to their gradients (spike-compatible gradient)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    steps: 'steps at most',
    turnover: 'chance of an element to flip where the gradient is 0 everywhere',
    loss: 'what is raised: ce, or margin',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ steps, turnover, loss, flips, reduce }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      fraction('turnover', turnover),
      oneOf(Object.keys(losses), 'loss', loss),
      checkAllowed(flips),
      checkReduction(reduce),
    ),
  passes: ({ steps, reduce }, facts) => ({
    forwards: steps + 1 + anyReductionPasses(reduce as Reduction, facts),
    backwards: steps,
  }),
  paper: 'Liang et al. 2021, arXiv 2001.01587',
  run: (job, { steps, turnover, loss, flips, reduce }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt({ goal, space, random, left, proven }) {
        const raised = losses[loss]!(goal);
        const chance = random(0).fork('spikes');
        const u = new Float32Array(space.n);
        /** Size of the gradient at an element when it was last flipped. */
        const worth = new Float64Array(space.n);
        for (let step = 0; step <= steps; step++) {
          const last = step === steps;
          const { logits: z, gradient } = last
            ? { logits: yield* logits([u], 1), gradient: [] }
            : yield* gradients([u], [raised], step / steps);
          if (reached(goal, argmax(z[0]!))) {
            const order = Array.from(u.keys())
              .filter((i) => u[i] !== 0)
              .sort((a, b) => worth[a]! - worth[b]!);
            yield* reduced(reduce as Reduction, { goal, u, order, left, proven, done: 1 });
            return;
          }
          if (!last) spike(space, u, gradient[0]!, { chance, turnover, worth });
        }
      },
    }),
};

/** One step: sets or turns over entries of u. */
function spike(
  { n, flip }: Flipping,
  u: Float32Array,
  gradient: Float32Array,
  { chance, turnover, worth }: { readonly chance: Stream; readonly turnover: number; readonly worth: Float64Array },
): void {
  let most = 0;
  for (let i = 0; i < n; i++) if (flip[i] !== 0) most = Math.max(most, Math.abs(gradient[i]!));
  for (let i = 0; i < n; i++) {
    if (flip[i] === 0) continue;
    const drawn = chance.uniform();
    if (most === 0) {
      if (drawn < turnover) u[i] = u[i] === 0 ? flip[i]! : 0;
    } else if (gradient[i] !== 0 && Math.abs(gradient[i]!) >= drawn * most) {
      // up is where the slope is above 0: the flipped value if a flip goes up, the original one else
      u[i] = gradient[i]! > 0 === flip[i]! > 0 ? flip[i]! : 0;
      worth[i] = Math.abs(gradient[i]!);
    }
  }
}
