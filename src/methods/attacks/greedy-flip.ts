/**
 * Greedy flips: the gradient names the flip that helps most to first order; it is made, and the gradient is asked again, until the model is fooled.
 * Paper: none of its own; the plainest descent over flips, in the manner of HotFlip (Ebrahimi, Rao, Lowd, Dou, ACL 2018) and of JSMA on inputs of zeros and ones.
 * Threat model: white box, l0, binary inputs. Inputs that hold more than two values are left as they are.
 * A flip is worth (1 - 2x) times the slope of the margin; one that is made stays, and none is made that is worth nothing. Flips that turn out to be needless
 * are restored at the end.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { gainsOf, mostGaining } from './flip-gains.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, flipsOf } from './frame/flipping.ts';
import { gradients, logits } from './frame/question.ts';
import { losses } from './option-checks.ts';
import { aboutReduction, checkReduction, type Reduction, reduced, reductionPasses } from './reduce-flips.ts';

const defaults = { steps: 500, k: 1, flips: 'both', reduce: 'minimal' };

export const greedyFlip: Attack<'gradient', typeof defaults> = {
  name: 'greedy-flip',
  title: 'one flip after the other, the one first that the gradient says helps most',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    steps: 'gradients asked for at most',
    k: 'flips made per gradient',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ steps, k, flips, reduce }) =>
    firstOf(wholeFrom(1, 'steps', steps), wholeFrom(1, 'k', k), checkAllowed(flips), checkReduction(reduce)),
  passes: ({ steps, k, reduce }) => ({
    forwards: steps + 1 + reductionPasses(reduce as Reduction, steps * k),
    backwards: steps,
  }),
  paper: 'none: ours, after HotFlip (Ebrahimi et al. 2018, arXiv 1712.06751)',
  run: (job, { steps, k, flips, reduce }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt({ goal, space, left, proven }) {
        const margin = losses.margin!(goal);
        const u = new Float32Array(space.n);
        const made: { readonly i: number; readonly gain: number }[] = [];
        for (let step = 0; step <= steps; step++) {
          const last = step === steps;
          const { logits: z, gradient } = last
            ? { logits: yield* logits([u], 1), gradient: [] }
            : yield* gradients([u], [margin], step / steps);
          if (reached(goal, argmax(z[0]!))) {
            const order = made.sort((a, b) => a.gain - b.gain).map(({ i }) => i);
            yield* reduced(reduce as Reduction, { goal, u, order, left, proven, done: 1 });
            return;
          }
          if (last) return;
          const gains = gainsOf(space, u, gradient[0]!);
          const chosen = mostGaining(gains, k);
          if (chosen.length === 0) return;
          for (const i of chosen) {
            u[i] = space.flip[i]!;
            made.push({ i, gain: gains[i]! });
          }
        }
      },
    }),
};
