/**
 * Square attack: random regions of the input are changed at once, and a change is kept where the margin falls. Only scores are asked for.
 * Paper: Andriushchenko, Croce, Flammarion, Hein, "Square attack: a query-efficient black-box adversarial attack via random search", ECCV 2020, with the
 * schedule, the stripes and the l2 windows of its authors' code in AutoAttack.
 * Threat model: scores, linf and l2, any signal. Regions are squares of pictures, boxes in space and time of clips and events, stretches of time of signals
 * (of all channels or some), joints over time of skeletons, blocks of feature vectors (regions/field.ts). linf: a column of the region goes to one end of its
 * budget; the start are stripes, one pixel wide in pictures, 1/32 of the clip in time. l2: mass moves between two windows (regions/mass.ts).
 * A binary input flips: to 0 or 1 in linf (eps of at least 1, else nothing can change), eps^2 flips in l2 (regions/flips.ts).
 * Several inputs: a query changes one of them, chosen with a chance in proportion to the square root of its free elements, within its own budget.
 * mode reference: a box lies at floor(U (size - side)), as in the authors' code, so that the last row and column are changed by the stripes only, and
 * proposals that change nothing are asked about. ours: every place is as likely, and such proposals are drawn again.
 * Deviations in both modes: places, windows and bumps are drawn per sample, not once for the batch; the stripes count as one of the queries; targeted
 * proposals are judged by the margin too, not by cross-entropy; what l2 bounds cut off is not redistributed at once but by the next window.
 */
import { leadOf } from '../../kit/losses/loss.ts';
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import { isBinary } from '../../kit/threat/grid.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { type Product, productOf } from './frame/product.ts';
import { type Attempt, logits } from './frame/question.ts';
import type { Trial } from './frame/walker.ts';
import { flipper } from './regions/flips.ts';
import { massMover } from './regions/mass.ts';
import { canvasOf, type Painter } from './regions/painter.ts';
import { pusher } from './regions/push.ts';

const defaults = { queries: 5000, p: 0.8, restarts: 1, rescale: false, mode: 'ours' };
type Options = typeof defaults;

/** After so many proposals the share of the input that is changed halves. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** Draws of a proposal that would change nothing, before it is asked about all the same. */
const draws = 32;

export const square: Attack<'scores', Options> = {
  name: 'square',
  title: 'random search over squares, segments, joints or boxes; asks for scores only',
  needs: 'scores',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {
    queries: 'forward passes of each restart',
    p: 'share of the input that the first regions cover',
    restarts: 'searches made while a sample still stands',
    rescale: 'stretch the schedule of region sizes, made for 10000 queries, to the queries given',
    mode: "ours, or reference: places of regions drawn as the authors' code does, which never covers the last row and column",
  },
  check: ({ queries, p, restarts, mode }) =>
    firstOf(
      wholeFrom(1, 'queries', queries),
      p > 0 && p <= 1 ? undefined : `p is ${p}, but must be above 0 and at most 1`,
      wholeFrom(1, 'restarts', restarts),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  passes: ({ queries, restarts }) => ({ forwards: queries * restarts, backwards: 0 }),
  paper: 'Andriushchenko et al. 2020, arXiv 1912.00049',
  run: (job, options) =>
    drive(job, {
      space: productOf,
      keep: 'first',
      *attempt(trial) {
        for (let restart = 0; restart < options.restarts; restart++) yield* search(trial, restart, options);
      },
    }),
};

function* search({ space, goal, random }: Trial<Product>, restart: number, { queries, p, restarts, ...rest }: Options): Attempt {
  const stream = random(restart).fork('square');
  const u = new Float32Array(space.n);
  const painters = space.parts.map((part): Painter => {
    const canvas = canvasOf(part, u, rest.mode === 'reference');
    if (part.threat.norm === 'linf') return pusher(canvas);
    return isBinary(part.threat.input) ? flipper(canvas) : massMover(canvas);
  });
  const weights = painters.map(({ free }) => Math.sqrt(free));
  const total = weights.reduce((a, b) => a + b, 0);
  if (total === 0) return;
  for (const painter of painters) painter.begin(stream);
  const ask = function* (query: number) {
    const [z] = yield* logits([u], (restart + query / queries) / restarts);
    return leadOf(goal, z!);
  };
  let lead = yield* ask(0);
  for (let query = 1; query < queries; query++) {
    const painter = painters[chosen(weights, total * stream.uniform())]!;
    const share = shareAt(query - 1, p, rest.rescale ? queries : undefined);
    for (let draw = 1; !painter.propose(share, stream) && draw < draws && rest.mode === 'ours'; draw++) painter.settle(false);
    const found = yield* ask(query);
    painter.settle(found < lead);
    lead = Math.min(lead, found);
  }
}

/** The share of the input that proposal k changes; the schedule is made for 10000 queries, and stretched to `queries` where they are given. */
export function shareAt(k: number, p: number, queries?: number): number {
  const at = queries === undefined ? k : Math.floor((k / queries) * 10_000);
  return p / 2 ** halvings.filter((after) => at > after).length;
}

/** The index whose stretch of the summed weights holds `at`. */
function chosen(weights: readonly number[], at: number): number {
  let sum = 0;
  const k = weights.findIndex((weight) => {
    sum += weight;
    return at < sum;
  });
  return k < 0 ? weights.findLastIndex((weight) => weight > 0) : k;
}
