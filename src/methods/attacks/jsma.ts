/**
 * Jacobian-based saliency map attack: one element after the other goes as far as the bounds let it, the one first that helps most.
 * Paper: Papernot, McDaniel, Jha, Fredrikson, Celik, Swami, "The limitations of deep learning in adversarial settings", EuroS&P 2016, sections III.B and IV.
 * Threat model: white box, l0. Without two bounds a move is one width of the input (widths.ts), and may be repeated.
 * Deviations: single elements rather than pairs, each up or down, whichever helps, and in one direction only; what a move is worth is what it does, to first
 * order, to the lead of the class aimed at, so that a pixel near its bound counts for less; moves that raise the probability of the right class are never
 * taken; without a target the likeliest other classes are aimed at one after the other; changes that turn out to be needless are taken back at the end.
 * mode reference is the paper's algorithm as other libraries have it: pairs, one direction for all, every element once, sums of logits. It stops where no
 * pair qualifies (torchattacks then moves the first element), and finds the best pair without a table of all pairs (saliency-pair.ts).
 */
import { type Goal, type Loss, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, fraction, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { type Attempt, gradients, logits } from './frame/question.ts';
import type { Trial } from './frame/walker.ts';
import { leadOver, rivalsOf } from './rivals.ts';
import { bestPair } from './saliency-pair.ts';
import { widthsOf } from './widths.ts';

const defaults = { steps: 500, theta: 'auto' as number | string, gamma: 1, targets: 3, mode: 'ours' };

export const jsma: Attack<'gradient', typeof defaults> = {
  name: 'jsma',
  title: 'fewest elements: the most salient one after the other goes to its bound (JSMA)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {
    steps: 'most moves towards each class',
    theta: 'length of a move in the units of the input, or auto: to the bound (mode reference: below 0 all elements go down)',
    gamma: 'largest share of the elements that may change',
    targets: 'without a target: classes aimed at, the likeliest first',
    mode: 'ours, or reference: pairs of elements, all in the direction of theta',
  },
  check: ({ steps, theta, gamma, targets, mode }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      complaintOf(theta, mode),
      fraction('gamma', gamma),
      wholeFrom(1, 'targets', targets),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  passes({ steps, targets, mode }, { classes }) {
    const tried = Math.min(targets, classes - 1);
    const back = mode === 'ours' ? steps : 0;
    return { forwards: 1 + tried * (2 * steps + 1 + back), backwards: 2 * tried * steps };
  },
  paper: 'Papernot et al. 2016, arXiv 1511.07528',
  run: (job, { steps, theta, gamma, targets, mode }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt(trial) {
        const { goal, space } = trial;
        const [z] = yield* logits([new Float32Array(space.n)], 0);
        const aims = goal.kind === 'targeted' ? [goal.target] : rivalsOf(goal.label, z!).slice(0, targets);
        for (const [k, aim] of aims.entries()) {
          const done = (share: number): number => (k + share) / aims.length;
          yield* mode === 'reference'
            ? byPairs(trial, { aim, steps, theta, gamma, done })
            : oneByOne(trial, { aim, steps, theta, gamma, done });
        }
      },
    }),
};

const complaintOf = (theta: number | string, mode: string): string | undefined =>
  theta === 'auto' || (typeof theta === 'number' && Number.isFinite(theta) && (theta > 0 || (theta < 0 && mode === 'reference')))
    ? undefined
    : `theta is ${theta}, but must be "auto" or a number above 0 (in mode reference also below 0)`;

interface Aim {
  readonly aim: number;
  readonly steps: number;
  readonly theta: number | string;
  readonly gamma: number;
  done(share: number): number;
}

/** What is raised: with a target its lead over the strongest rival, else the lead of the class aimed at over the label. */
const leadLoss = (goal: Goal, aim: number, classes: number): Loss =>
  goal.kind === 'targeted' ? { label: aim, margin: 1 } : leadOver(goal.label, aim, classes);

function* oneByOne({ goal, space, classes, best }: Trial<Joint>, { aim, steps, theta, gamma, done }: Aim): Attempt {
  const { n } = space;
  const longest = typeof theta === 'number' ? new Float64Array(n).fill(theta) : reachOf(space);
  const wanted: Loss[] = [leadLoss(goal, aim, classes), { label: goal.label, ce: 1 }];
  const u = new Float32Array(n);
  const heading = new Int8Array(n);
  const changed: number[] = [];
  for (let k = 0; ; k++) {
    if (k === steps) {
      const [z] = yield* logits([u], done(1));
      if (reached(goal, argmax(z!))) break;
      return;
    }
    const { logits: z, gradient } = yield* gradients([u, u], wanted, done(k / steps));
    if (reached(goal, argmax(z[0]!))) break;
    const allowed = Math.min(Math.floor(gamma * n), (best()?.size ?? Number.POSITIVE_INFINITY) - 1);
    const move = bestMove(space, { u, heading, longest, full: changed.length >= allowed }, gradient[0]!, gradient[1]!);
    if (move === undefined) return;
    if (heading[move.i] === 0) changed.push(move.i);
    heading[move.i] = move.to > u[move.i]! ? 1 : -1;
    u[move.i] = move.to;
  }
  for (const i of changed) {
    const to = u[i]!;
    u[i] = 0;
    const [z] = yield* logits([u], done(1));
    if (!reached(goal, argmax(z!))) u[i] = to;
  }
}

/** How far elements go in one move where theta does not say. */
const reachOf = (space: Joint): Float64Array =>
  widthsOf(space).map((width, i) =>
    Number.isFinite(space.low[i]!) && Number.isFinite(space.high[i]!) ? Number.POSITIVE_INFINITY : width,
  );

interface Moves {
  readonly u: Float32Array;
  /** Of elements that have moved: 1 up, -1 down. */
  readonly heading: Int8Array;
  /** Of a move. */
  readonly longest: Float64Array;
  /** Whether no further element may change. */
  readonly full: boolean;
}

/** The move that raises the lead most without making the right class likelier, to first order: `away` is the slope of its cross-entropy. */
function bestMove(
  { n, low, high }: Joint,
  { u, heading, longest, full }: Moves,
  lead: Float32Array,
  away: Float32Array,
): { readonly i: number; readonly to: number } | undefined {
  let chosen: { readonly i: number; readonly to: number } | undefined;
  let most = 0;
  for (let i = 0; i < n; i++) {
    const way = lead[i]! > 0 ? 1 : -1;
    if (heading[i] === 0 ? full : heading[i] !== way) continue;
    const end = way > 0 ? high[i]! : low[i]!;
    const room = way * (end - u[i]!);
    const gain = way * lead[i]! * Math.min(room, longest[i]!);
    if (!(gain > most) || way * away[i]! < 0) continue;
    most = gain;
    chosen = { i, to: room <= longest[i]! ? end : Math.fround(u[i]! + way * longest[i]!) };
  }
  return chosen;
}

function* byPairs({ goal, space, classes }: Trial<Joint>, { aim, steps, theta, gamma, done }: Aim): Attempt {
  const { n, low, high } = space;
  const way = typeof theta === 'number' && theta < 0 ? -1 : 1;
  const widths = widthsOf(space);
  const reach = reachOf(space);
  const target = new Float32Array(classes);
  target[aim] = 1;
  const wanted = [target, target.map((value) => 1 - value)].map((linear): Loss => ({ label: goal.label, linear }));
  const u = new Float32Array(n);
  const roomOf = (i: number): number => (way > 0 ? high[i]! : -low[i]!);
  // an element within a hundredth of its bound is left alone, as torchattacks does
  const allowed = Uint8Array.from(u, (_, i) => (roomOf(i) > widths[i]! / 100 ? 1 : 0));
  const rounds = Math.min(steps, Math.ceil((n * gamma) / 2));
  for (let k = 0; k < rounds; k++) {
    const { logits: z, gradient } = yield* gradients([u, u], wanted, done(k / rounds));
    if (argmax(z[0]!) === aim) return;
    const rise = Float64Array.from(gradient[0]!, (slope) => way * slope);
    const fall = Float64Array.from(gradient[1]!, (slope) => -way * slope);
    const pair = bestPair(rise, fall, allowed);
    if (pair === undefined) return;
    for (const i of pair) {
      allowed[i] = 0;
      u[i] = way * Math.min(roomOf(i), typeof theta === 'number' ? Math.abs(theta) : reach[i]!);
    }
  }
  yield* logits([u], done(1));
}
