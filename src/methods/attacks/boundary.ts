/**
 * The boundary attack: a random walk among examples, a small turn around the original and a small step towards it at a time.
 * Paper: Brendel, Rauber, Bethge, "Decision-based adversarial attacks: reliable attacks against black-box machine learning models", ICLR 2018, algorithm 1.
 * Threat model: black box, labels only; l2.
 * A turn is asked about alone at every fifth proposal; both lengths grow where more than half of the last 10 such turns succeed and shrink below a fifth;
 * the step towards the original grows above a quarter of the last 20 proposals and shrinks below a tenth.
 * Deviations: those windows are 100 and 30 in foolbox 3.3, counted at every tenth proposal, which leaves a run of 5000 proposals five changes of the turn
 * (on the net `smooth` of our tests examples after 1500 queries are more than twice as large); statistics are each sample's own; the first example is
 * drawn to the boundary by halving instead of a search along the line; it is the one from which the boundary is nearest of ten random points
 * (random-start.ts), never another sample, and a sample without one fails alone. Without bounds starts are drawn at growing distances. A start of
 * one's own is not offered.
 */

import type { Stream } from '../../core/tensor/random.ts';
import { firstOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { freedomOf } from './frame/space.ts';
import { askerOf, halvings, ontoBoundary, randomStart, startCosts } from './random-start.ts';

const defaults = { steps: 5000, turn: 0.01, approach: 0.01, adaptation: 1.5, every: 5, convergence: 1e-7, tries: 100 };

/** The first example is drawn to the boundary to this share of the way. */
const tolerance = 1e-3;

export const boundary: Attack<'decision', typeof defaults> = {
  name: 'boundary',
  title: 'random walk along the boundary towards the original, by labels alone',
  needs: 'decision',
  kind: 'minimal',
  norms: ['l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'proposals',
    turn: 'first length of the turn around the original, as a share of the distance',
    approach: 'first length of the step towards it, as a share of the distance',
    adaptation: 'factor by which both are changed',
    every: 'after so many proposals the turn alone is asked about too, for its statistics',
    convergence: 'length of the step towards the original at which the walk ends',
    tries: 'random points tried for a first example',
  },
  check: ({ steps, turn, approach, adaptation, every, convergence, tries }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      positive('turn', turn),
      positive('approach', approach),
      adaptation > 1 && Number.isFinite(adaptation) ? undefined : `adaptation is ${adaptation}, but must be a number above 1`,
      wholeFrom(1, 'every', every),
      positive('convergence', convergence),
      wholeFrom(1, 'tries', tries),
    ),
  passes: ({ steps, every, tries }) => ({
    forwards: startCosts(tries) + halvings(tolerance) + steps + Math.floor(steps / every),
    backwards: 0,
  }),
  paper: 'Brendel, Rauber and Bethge 2018, arXiv 1712.04248',
  run: (job, { steps, turn: firstTurn, approach: firstApproach, adaptation, every, convergence, tries }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt({ goal, space, random }) {
        if (freedomOf(space) === 0) return;
        let step = 0;
        const ask = askerOf(goal, () => step / steps);
        const start = yield* randomStart(space, ask, random(0).fork('start'), tries);
        if (start === undefined) return;
        let u = yield* ontoBoundary(space, ask, start, tolerance);
        let size = space.size(u);
        let turn = firstTurn;
        let approach = firstApproach;
        const turns = tally(turnsCounted);
        const approaches = tally(approachesCounted);
        const noise = random(0).fork('noise');
        while (step++ < steps && approach >= convergence) {
          const turned = turnedBy(space, u, size, turn, noise);
          const nearer = nearerBy(space, turned, approach, size);
          const asked = step % every === 0 ? [nearer, turned] : [nearer];
          const [hit, hitTurned] = yield* ask(asked);
          approaches.add(hit!);
          const newSize = space.size(nearer);
          if (hit && newSize < size) [u, size] = [nearer, newSize];
          if (hitTurned !== undefined) {
            turns.add(hitTurned);
            const change = turns.verdict(0.2, 0.5);
            turn *= adaptation ** change;
            approach *= adaptation ** change;
          }
          approach *= adaptation ** approaches.verdict(0.1, 0.25);
        }
      },
    }),
};

/** Outcomes a rate is taken over. */
const turnsCounted = 10;
const approachesCounted = 20;

/** A rate over the last `window` outcomes, read once there are so many, and begun anew when it has led to a change. */
function tally(window: number) {
  let outcomes: boolean[] = [];
  return {
    add(hit: boolean): void {
      outcomes.push(hit);
      if (outcomes.length > window) outcomes.shift();
    },
    /** 1 above `most`, -1 below `least`, 0 between or too early to say. */
    verdict(least: number, most: number): -1 | 0 | 1 {
      if (outcomes.length < window) return 0;
      const rate = outcomes.filter(Boolean).length / window;
      if (rate >= least && rate <= most) return 0;
      outcomes = [];
      return rate > most ? 1 : -1;
    },
  };
}

/** u turned around the original by a random direction at right angles to it, `turn` |u| long, back on the sphere, inside the box. */
function turnedBy({ low, high }: Joint, u: Float32Array, size: number, turn: number, stream: Stream): Float32Array {
  const n = u.length;
  const across = new Float64Array(n);
  let along = 0;
  for (let i = 0; i < n; i++) {
    if (low[i] === high[i]) continue;
    across[i] = stream.normal();
    along += across[i]! * u[i]!;
  }
  let square = 0;
  for (let i = 0; i < n; i++) {
    if (size > 0) across[i]! -= (along / size ** 2) * u[i]!;
    square += across[i]! ** 2;
  }
  const length = square === 0 ? 0 : (turn * size) / Math.sqrt(square);
  const back = 1 / Math.sqrt(1 + turn ** 2);
  return u.map((value, i) => Math.min(high[i]!, Math.max(low[i]!, back * (value + length * across[i]!))));
}

/** `turned` moved towards the original, so that it is `approach` nearer than `size`; a step longer than the way ends at the original. */
function nearerBy(space: Joint, turned: Float32Array, approach: number, size: number): Float32Array {
  const now = space.size(turned);
  const share = now === 0 ? 1 : Math.max(0, Math.min(1, ((1 - approach) * size) / now));
  return turned.map((value) => share * value);
}
