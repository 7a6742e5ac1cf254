/**
 * FAB: steps to the nearest tangent plane of a decision boundary inside the box, drawn towards the original, and back after every success.
 * Paper: Croce, Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, algorithm 1; FAB-T (`targets`): the same
 * authors, "Reliable evaluation of adversarial robustness ...", ICML 2020, section 5.
 * Threat model: white box, minimum norm in linf, l2, l1.
 * u <- (1 - alpha) (u + eta d) + alpha eta d0, where d and d0 move u and the original onto the plane and alpha = min(|d| / (|d| + |d0|), alphaMax); an example
 * is followed by u <- beta u. The restarts begin at distance min(eps, best) / 2 from the original, in a random direction.
 * mode reference is the authors' released code (fra31/auto-attack a392200): no final search, starts at eps / 2 whatever was found, the nearest plane chosen
 * as if there were no box. Ours searches the segment from the example to the original as the paper does (three points by linear interpolation, here at
 * least 2 % off the end that is no example, or rounding would end it), and chooses the plane that is nearest inside the box.
 * Deviations from both: the box is the model's bounds, infinite where it has none, and does not open where the mask forbids; slopes below 1e-8 count;
 * a goal with a target steps to the target's boundary with its strongest rival; an attempt ends where a step changes nothing. `stopAt: eps` ends it
 * with the first example inside the budget: all a suite wants to know.
 */
import { leadOf, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { belowOne, firstOf, fraction, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { type Answer, logits, type Question } from './frame/question.ts';
import type { Trial } from './frame/walker.ts';
import { type FlatNorm, type Move, moveOnto } from './hyperplane.ts';
import { rivalsOf } from './rivals.ts';
import { nearerInBox, nearerPlain, nearestTangent, tangentsOf } from './tangents.ts';

const defaults = { targets: 0, steps: 100, restarts: 1, alphaMax: 0.1, eta: 1.05, beta: 0.9, mode: 'ours', stopAt: 'none' };
type Options = typeof defaults;

export const fab: Attack<'gradient', Options> = {
  name: 'fab',
  title: 'steps to the nearest linearised boundary inside the bounds, drawn towards the original',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['linf', 'l2', 'l1'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    targets:
      '0: every step looks at the boundaries to all classes; n: one attempt for each of the n highest ranked other classes (FAB-T)',
    steps: 'steps of each attempt',
    restarts: 'attempts, the first from the original, the others from random points around it',
    alphaMax: 'most that a step is drawn towards the original, 0 to 1',
    eta: 'how far a step goes beyond the linearised boundary, 1 or more',
    beta: 'where an example is followed from: this share of its change',
    mode: 'ours (final search on the segment, boundaries chosen inside the bounds) or reference (as released by the authors)',
    stopAt: 'none, or eps: stop at the first example inside the largest budget',
  },
  check: ({ targets, steps, restarts, alphaMax, eta, beta, mode, stopAt }) =>
    firstOf(
      wholeFrom(0, 'targets', targets),
      wholeFrom(1, 'steps', steps),
      wholeFrom(1, 'restarts', restarts),
      fraction('alphaMax', alphaMax),
      eta >= 1 && Number.isFinite(eta) ? undefined : `eta is ${eta}, but must be a number of at least 1`,
      belowOne('beta', beta),
      oneOf(['ours', 'reference'], 'mode', mode),
      oneOf(['none', 'eps'], 'stopAt', stopAt),
    ),
  passes({ targets, steps, restarts, mode }, { classes }) {
    const attempts = restarts * tangentsOf(targets, classes);
    const planes = targets === 0 ? classes - 1 : 1;
    return {
      forwards: 1 + attempts * steps * (planes + 1) + (mode === 'ours' ? searched : 0),
      backwards: attempts * steps * planes,
    };
  },
  paper: 'Croce and Hein 2020, arXiv 1907.02044',
  run: (job, options) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt(trial) {
        const { goal, space } = trial;
        const [clean] = yield* logits([new Float32Array(space.n)]);
        if (reached(goal, argmax(clean!))) return;
        const rivals = rivalsOf(goal.label, clean!);
        const one = goal.kind === 'targeted' || options.targets === 0;
        const groups = one ? [rivals] : rivals.slice(0, options.targets).map((rival) => [rival]);
        for (const [g, group] of groups.entries()) {
          for (let restart = 0; restart < options.restarts; restart++) {
            const before = (g * options.restarts + restart) / (groups.length * options.restarts);
            const span = 1 / (groups.length * options.restarts);
            yield* walk(trial, group, start(trial, options, g, restart), options, (share) => before + span * share);
            if (enough(trial, options)) return;
          }
        }
        if (options.mode === 'ours') yield* search(trial, leadOf(goal, clean!));
      },
    }),
};

const enough = ({ best, space }: Trial<Joint>, { stopAt }: Options): boolean =>
  stopAt === 'eps' && (best()?.size ?? Number.POSITIVE_INFINITY) <= space.eps;

/** The original, or a point around it: direction by the largest of uniform numbers (linf) or normal ones, as the authors draw it. */
function start({ space, random, best }: Trial<Joint>, { mode }: Options, group: number, restart: number): Float32Array {
  const u = new Float32Array(space.n);
  if (restart === 0) return u;
  const stream = random(restart).fork(group);
  const within = mode === 'ours' ? Math.min(space.eps, best()?.size ?? Number.POSITIVE_INFINITY) : space.eps;
  for (let i = 0; i < u.length; i++) {
    const drawn = space.norm === 'linf' ? 2 * stream.uniform() - 1 : stream.normal();
    // drawn where nothing may move too, so that masks do not shift what the others draw
    u[i] = space.low[i] === space.high[i] ? 0 : drawn;
  }
  const size = space.size(u);
  return space.clip(u.map((value) => (size === 0 ? 0 : (value * within) / (2 * size))));
}

/** One attempt from `u`. */
function* walk(
  trial: Trial<Joint>,
  rivals: readonly number[],
  u: Float32Array,
  options: Options,
  progress: (share: number) => number,
): Generator<Question, void, Answer> {
  const { goal, space, classes } = trial;
  const norm = space.norm as FlatNorm;
  const origin = new Float32Array(space.n);
  for (let k = 0; k < options.steps; k++) {
    const at = { classes, done: progress(k / options.steps) };
    const plane =
      options.mode === 'ours'
        ? yield* nearestTangent(goal, rivals, u, nearerInBox(norm, u, space), at)
        : yield* nearestTangent(goal, rivals, u, nearerPlain(norm), at);
    const { w, gap } = plane!.tangent;
    const here = typeof plane!.found === 'number' ? moveOnto(norm, u, w, gap, space) : plane!.found;
    const there = moveOnto(norm, origin, w, gap + along(w, u), space);
    if (!blend(u, here, there, options, space)) return;
    const [z] = yield* logits([u]);
    if (!reached(goal, argmax(z!))) continue;
    if (enough(trial, options)) return;
    for (let i = 0; i < u.length; i++) u[i]! *= options.beta;
  }
}

function along(w: Float32Array, u: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < w.length; i++) sum += w[i]! * u[i]!;
  return sum;
}

/** Moves u to the next point; false if that is where it was. */
function blend(u: Float32Array, here: Move, there: Move, { alphaMax, eta }: Options, { low, high }: Joint): boolean {
  const [d1, d2] = [Math.max(here.size, 1e-8), Math.max(there.size, 1e-8)];
  const alpha = Math.min(d1 / (d1 + d2), alphaMax);
  let moved = false;
  for (let i = 0; i < u.length; i++) {
    const aim = (u[i]! + eta * here.d[i]!) * (1 - alpha) + eta * there.d[i]! * alpha;
    const next = Math.fround(Math.min(high[i]!, Math.max(low[i]!, aim)));
    if (next !== u[i]) moved = true;
    u[i] = next;
  }
  return moved;
}

/** Points the final search asks about. */
const searched = 3;

/** Shortens the best example on its way to the original, where the lead is `lead`. */
function* search({ goal, best }: Trial<Joint>, lead: number): Generator<Question, void, Answer> {
  const found = best();
  if (found === undefined) return;
  // shares of the example's change: the largest known to fail, the smallest known to succeed, and their leads
  let [fails, failing, holds, holding] = [0, lead, 1, found.lead];
  for (let k = 0; k < searched; k++) {
    const root = failing > 0 ? failing / (failing - holding) : 0;
    const share = fails + Math.max(root, 0.02) * (holds - fails);
    const [z] = yield* logits([found.u.map((value) => value * share)]);
    const now = leadOf(goal, z!);
    if (reached(goal, argmax(z!))) [holds, holding] = [share, now];
    else [fails, failing] = [share, now];
  }
}
