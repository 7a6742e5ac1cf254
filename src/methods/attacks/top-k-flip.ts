/**
 * Top-k flips: the flips that help most to first order are made together, more of them with every gradient, until the model is fooled.
 * Paper: Lun, Feng, Ni, Liang, Wang, Li, Yu, Cui, "Towards effective and sparse adversarial attack on spiking neural networks via breaking invisible surrogate
 * gradients", CVPR 2025: the base of its ablation, generation by gradients alone.
 * Threat model: white box, l0, binary inputs. Inputs that hold more than two values are left as they are.
 * Step n makes the (n + 1) k flips with the largest (1 - 2x) g among those not made; what is made stays. As in the ablation the loss is the
 * cross-entropy and nothing is restored; loss margin and reduce are its next rungs, finite differences (what makes it SDA) are not here.
 * Reconstruction: the ablation is known by its table, not by its code. That flips worth nothing are not made is ours, where the paper's code draws them at random.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { gainsOf, mostGaining } from './flip-gains.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, flipsOf } from './frame/flipping.ts';
import { gradients, logits } from './frame/question.ts';
import { losses } from './option-checks.ts';
import { aboutReduction, checkReduction, type Reduction, reduced, reductionPasses } from './reduce-flips.ts';

const defaults = { steps: 50, k: 10, gradient: 'each', loss: 'ce', flips: 'both', reduce: 'none' };

export const topKFlip: Attack<'gradient', typeof defaults> = {
  name: 'top-k-flip',
  title: 'the flips with the largest gradients together, more at every step (SDA without its tests)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    steps: 'steps at most',
    k: 'flips of the first step; step n makes n times as many',
    gradient: 'each: asked anew at every step; once: that of the original, for all',
    loss: 'what is raised: ce, or margin',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ steps, k, gradient, loss, flips, reduce }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      wholeFrom(1, 'k', k),
      oneOf(['each', 'once'], 'gradient', gradient),
      oneOf(Object.keys(losses), 'loss', loss),
      checkAllowed(flips),
      checkReduction(reduce),
    ),
  passes: ({ steps, k, gradient, reduce }) => ({
    forwards: steps + 1 + reductionPasses(reduce as Reduction, flipsBy(steps, k)),
    backwards: gradient === 'each' ? steps : 1,
  }),
  paper: 'Lun et al. 2025, arXiv 2503.03272, the base of its ablation',
  run: (job, { steps, k, gradient: asked, loss, flips, reduce }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt({ goal, space, left, proven }) {
        const raised = losses[loss]!(goal);
        const u = new Float32Array(space.n);
        const made: { readonly i: number; readonly gain: number }[] = [];
        let slope: Float32Array | undefined;
        for (let step = 0; step <= steps; step++) {
          const done = step / steps;
          let z: Float32Array;
          if (step < steps && (asked === 'each' || slope === undefined)) {
            const answer = yield* gradients([u], [raised], done);
            slope = answer.gradient[0]!;
            z = answer.logits[0]!;
          } else z = (yield* logits([u], done))[0]!;
          if (reached(goal, argmax(z))) {
            const order = made.sort((a, b) => a.gain - b.gain).map(({ i }) => i);
            yield* reduced(reduce as Reduction, { goal, u, order, left, proven, done: 1 });
            return;
          }
          if (step === steps) return;
          const gains = gainsOf(space, u, slope!);
          const chosen = mostGaining(gains, (step + 1) * k);
          if (chosen.length === 0) return;
          for (const i of chosen) {
            u[i] = space.flip[i]!;
            made.push({ i, gain: gains[i]! });
          }
        }
      },
    }),
};

/** Flips made after so many steps. */
const flipsBy = (steps: number, k: number): number => (k * steps * (steps + 1)) / 2;
