/**
 * Random flips: elements flip in random order, twice as many each time until the model is fooled; bisection then looks for the fewest of that order.
 * Paper: none; the control every attack on binary inputs is to be held against at an equal number of flips.
 * Threat model: scores, l0, binary inputs. Inputs that hold more than two values are left as they are.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, flippable, flipsOf } from './frame/flipping.ts';
import { logits } from './frame/question.ts';
import { aboutReduction, anyReductionPasses, checkReduction, elementsOf, type Reduction, reduced } from './reduce-flips.ts';
import { shuffled } from './shuffled.ts';

const defaults = { restarts: 5, flips: 'both', reduce: 'none' };

export const randomFlip: Attack<'scores', typeof defaults> = {
  name: 'random-flip',
  title: 'the control for binary inputs: random flips, as few as fool the model',
  needs: 'scores',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    restarts: 'random orders tried; the fewest flips count',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ restarts, flips, reduce }) =>
    firstOf(wholeFrom(1, 'restarts', restarts), checkAllowed(flips), checkReduction(reduce)),
  passes({ restarts, reduce }, facts) {
    const halvings = Math.ceil(Math.log2(elementsOf(facts)));
    return { forwards: restarts * (2 * halvings + 1) + anyReductionPasses(reduce as Reduction, facts), backwards: 0 };
  },
  paper: 'none: a control',
  run: (job, { restarts, flips, reduce }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt({ goal, space, random, best, left, proven }) {
        const all = flippable(space);
        const limit = all.length;
        for (let restart = 0; restart < restarts && limit > 0; restart++) {
          const order = shuffled(all, random(restart).fork('flips'));
          const flipped = (count: number): Float32Array => {
            const u = new Float32Array(space.n);
            for (let k = 0; k < count; k++) u[order[k]!] = space.flip[order[k]!]!;
            return u;
          };
          const fools = function* (count: number) {
            const [z] = yield* logits([flipped(count)], restart / restarts);
            return reached(goal, argmax(z!));
          };
          let short = 0;
          let enough = 1;
          let fooled = yield* fools(enough);
          while (!fooled && enough < limit) {
            short = enough;
            enough = Math.min(limit, 2 * enough);
            fooled = yield* fools(enough);
          }
          if (!fooled) continue;
          while (enough - short > 1) {
            const middle = Math.floor((short + enough) / 2);
            if (yield* fools(middle)) enough = middle;
            else short = middle;
          }
        }
        const found = best()?.u;
        if (found === undefined) return;
        const order = Array.from(found.keys()).filter((i) => found[i] !== 0);
        yield* reduced(reduce as Reduction, { goal, u: found, order, left, proven, done: 1 });
      },
    }),
};
