/**
 * SpikeFool: DeepFool finds a point beyond the boundary, and its tangent plane there is reached by as few flips as possible; again, until the model is fooled.
 * Paper: Buechel, Lenz, Hu, Sheik, Sorbaro, "Adversarial attacks on spiking convolutional neural networks for event-based vision", Frontiers in Neuroscience
 * 2022, after SparseFool (Modas, Moosavi-Dezfooli, Frossard, CVPR 2019).
 * Threat model: white box, l0, binary inputs. Inputs that hold more than two values are left as they are.
 * Inside, changes are continuous and the model sees them rounded, with the gradient of the rounded point. lambda times the way to the boundary is where the
 * plane is laid; flips are made in the order of the plane's normal until it is crossed, the last one whole.
 * Deviations: points that round to the same are asked about once (the authors' loop asks again until its sum of steps rounds to something else); values beyond the two
 * are rounded to the nearer one of them, where torch.round makes a 2 of 1.6; with a target the boundary is the target's with its strongest rival.
 * Reconstruction of two constants: the paper stops beyond a Hamming distance too, where here budgets are thresholds on what is found; the shortest step is .1, that of a
 * later implementation (the authors' is 1e-4). What `reduce` restores first are the flips made along the least steep coordinates.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, notNegative, positive, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { mostGaining } from './flip-gains.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, type Flipping, flipsOf } from './frame/flipping.ts';
import { type Answer, logits, type Question } from './frame/question.ts';
import type { Trial } from './frame/walker.ts';
import { aboutReduction, anyReductionPasses, checkReduction, type Reduction, reduced } from './reduce-flips.ts';
import { rivalsOf } from './rivals.ts';
import { nearerPlain, nearestTangent, type Tangent, tangentsOf } from './tangents.ts';

const defaults = { rounds: 20, steps: 50, lambda: 2, overshoot: 0.02, least: 0.1, candidates: 10, flips: 'both', reduce: 'none' };

export const spikeFool: Attack<'gradient', typeof defaults> = {
  name: 'spike-fool',
  title: 'SparseFool on spikes: flips along the normal of the boundary, until it is crossed',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    rounds: 'boundaries looked for, one after the other, at most',
    steps: 'steps of DeepFool to each, at most',
    lambda: 'how far the plane is laid, as a multiple of the way to the boundary',
    overshoot: 'how far beyond the boundary DeepFool goes, as a share of its way',
    least: 'shortest step of DeepFool, in l2',
    candidates: 'classes looked at, the highest ranked first, the right one included',
    flips: aboutAllowed,
    reduce: aboutReduction,
  },
  check: ({ rounds, steps, lambda, overshoot, least, candidates, flips, reduce }) =>
    firstOf(
      wholeFrom(1, 'rounds', rounds),
      wholeFrom(1, 'steps', steps),
      positive('lambda', lambda),
      notNegative('overshoot', overshoot),
      positive('least', least),
      wholeFrom(2, 'candidates', candidates),
      checkAllowed(flips),
      checkReduction(reduce),
    ),
  passes({ rounds, steps, candidates, reduce }, facts) {
    const planes = tangentsOf(candidates - 1, facts.classes);
    return {
      forwards: 1 + rounds * (steps * (planes + 1) + planes + 1) + anyReductionPasses(reduce as Reduction, facts),
      backwards: rounds * (steps + 1) * planes,
    };
  },
  paper: 'Buechel et al. 2022, arXiv 2110.02929',
  run: (job, { rounds, flips, reduce, candidates, ...given }) =>
    drive(job, {
      space: flipsOf(flips),
      keep: 'smallest',
      *attempt(trial) {
        const { goal, space, best, left, proven } = trial;
        const u = new Float32Array(space.n);
        const worth = new Float64Array(space.n);
        const [z] = yield* logits([u]);
        const rivals = rivalsOf(goal.label, z!).slice(0, candidates - 1);
        for (let round = 0; round < rounds; round++) {
          const plane = yield* boundary(trial, u, { ...given, rivals, done: round / rounds });
          if (plane === undefined) return;
          if (!cross(space, u, plane, worth)) return;
          const [now] = yield* logits([u], (round + 1) / rounds);
          if (!reached(goal, argmax(now!))) continue;
          // a point on the way to a boundary may have been a smaller example
          const found = best()!.u;
          const order = Array.from(found.keys())
            .filter((i) => found[i] !== 0)
            .sort((a, b) => worth[a]! - worth[b]!);
          yield* reduced(reduce as Reduction, { goal, u: found, order, left, proven, done: 1 });
          return;
        }
      },
    }),
};

interface Search {
  readonly steps: number;
  readonly lambda: number;
  readonly overshoot: number;
  readonly least: number;
  readonly rivals: readonly number[];
  readonly done: number;
}

/** The plane to be crossed from u: its normal, and how far away it lies along it; undefined where the gradient is 0. */
function* boundary(
  { goal, space, classes }: Trial<Flipping>,
  u: Float32Array,
  { steps, lambda, overshoot, least, rivals, done }: Search,
): Generator<Question, Tangent | undefined, Answer> {
  const { n, flip } = space;
  const total = new Float64Array(n);
  let asked = rounded(space, u);
  let plane: Tangent | undefined;
  let crossed = rivals;
  for (let step = 0; step < steps; ) {
    if (plane === undefined) plane = (yield* nearestTangent(goal, rivals, asked, nearerPlain('l2'), { classes, done }))?.tangent;
    const { w, gap } = plane!;
    let squares = 0;
    for (let i = 0; i < n; i++) if (flip[i] !== 0) squares += w[i]! * w[i]!;
    if (squares === 0) return undefined;
    const norm = Math.sqrt(squares);
    const length = Math.max(least, gap / norm) / norm;
    const times = Math.min(steps - step, repeats(space, { u, total, w }, { length, overshoot }));
    step += times;
    for (let i = 0; i < n; i++) if (flip[i] !== 0) total[i]! += times * length * w[i]!;
    const next = rounded(space, u, total, 1 + overshoot);
    let same = true;
    for (let i = 0; i < n && same; i++) same = next[i] === asked[i];
    if (same) continue;
    asked = next;
    plane = undefined;
    const [z] = yield* logits([asked], done);
    if (reached(goal, argmax(z!))) {
      crossed = [argmax(z!)];
      break;
    }
  }
  const { w } = plane ?? (yield* nearestTangent(goal, crossed, asked, nearerPlain('l2'), { classes, done }))!.tangent;
  return { w, gap: lambda * w.reduce((sum, value, i) => sum + value * total[i]!, 0) };
}

/** How often the same step is made until the rounded point changes. */
function repeats(
  { n, flip }: Flipping,
  { u, total, w }: { readonly u: Float32Array; readonly total: Float64Array; readonly w: Float32Array },
  { length, overshoot }: { readonly length: number; readonly overshoot: number },
): number {
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    if (flip[i] === 0) continue;
    const rate = ((1 + overshoot) * length * w[i]!) / flip[i]!;
    const beyond = (u[i]! + (1 + overshoot) * total[i]!) / flip[i]! - 0.5;
    // as shares of a flip: an element below the middle that rises, or one above that falls
    if (beyond > 0 ? rate < 0 : rate > 0) fewest = Math.min(fewest, Math.floor(-beyond / rate) + 1);
  }
  return fewest;
}

/** The point the model sees at u + share total. */
function rounded({ n, flip }: Flipping, u: Float32Array, total?: Float64Array, share = 0): Float32Array {
  const point = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const value = u[i]! + (total === undefined ? 0 : share * total[i]!);
    if (value * flip[i]! > 0.5 * flip[i]! * flip[i]!) point[i] = flip[i]!;
  }
  return point;
}

/** Makes or takes back flips, those along the steepest coordinates of the normal first, until the plane is crossed. False where none helps. */
function cross({ n, flip }: Flipping, u: Float32Array, { w, gap }: Tangent, worth: Float64Array): boolean {
  const gains = new Float64Array(n);
  for (let i = 0; i < n; i++) gains[i] = (u[i] === 0 ? 1 : -1) * w[i]! * flip[i]!;
  let count = 0;
  let sum = 0;
  const sorted = gains.slice().sort();
  for (let k = n - 1; k >= 0; k--) {
    const gain = sorted[k]!;
    if (gain <= 0 || (count > 0 && sum > gap)) break;
    sum += gain;
    count++;
  }
  for (const i of mostGaining(gains, count)) {
    u[i] = u[i] === 0 ? flip[i]! : 0;
    worth[i] = gains[i]!;
  }
  return count > 0;
}
