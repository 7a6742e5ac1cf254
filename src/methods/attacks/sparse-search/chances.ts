/** @file Learns the chance of every flip from samples of few flips: what all flips together are worth where many are needed, no gradient at one point says. */
import type { Stream } from '../../../core/tensor/random.ts';
import { leadOf, reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import { type Flipping, flippable } from '../frame/flipping.ts';
import { type Answer, gradients, type Question } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import { losses } from '../option-checks.ts';

/** Samples of a step: a gradient alone costs as much as a pair. */
export const samples = 2;

/** Logit of a flip's chance at first; where so few flip that samples are near the original. */
const start = -5;
const [lowest, highest] = [-12, 8];

/** Adam's step in logits, and its means. */
const alpha = 1;
const [beta1, beta2] = [0.9, 0.999];

/**
 * What a flip costs at first, as a multiple of the mean size of what flips are worth at the original. Less from the fifth step on while no sample was an
 * example, more wherever all samples of a step are.
 */
const price = 2;
const late = 4;
const cheaper = 1.3;
const dearer = 1.1;

/** Samples whose lead is within this share of the original's around 0 count in part. */
const blur = 0.2;

/** After so many steps only the likeliest flips are learned on. */
const wide = 5;
const kept = 2048;

/** In the second half samples come to be what is likeliest. */
const coldest = 0.1;

export interface Learned {
  /** The flips of the smallest sample that is an example, the least likely first. */
  readonly flips: readonly number[];
  /** The slope there of what is maximised. */
  readonly slope: Float32Array;
  /** What was learned on to the end, the likeliest flip first. */
  readonly likely: readonly number[];
}

type Scene = Pick<Trial<Flipping>, 'goal' | 'space' | 'random'>;

/** What is known of the original: the lead, and the mean size of what a flip is worth there. */
export interface Origin {
  readonly lead: number;
  readonly worth: number;
}

/**
 * Every flip has a logit; sampled sets of flips are asked about, and Adam raises the mean margin of the samples that do not reach the goal less what their
 * flips cost, through their soft versions (gumbel-flip says more). So samples stay at the boundary while ever fewer flips are likely.
 */
export function* learned(
  { goal, space, random }: Scene,
  origin: Origin,
  steps: number,
): Generator<Question, Learned | undefined, Answer> {
  const chance = random(0).fork('chances');
  const margin = losses.margin!(goal);
  let learning = allOf(space);
  let cost = price * origin.worth;
  let best: Pick<Learned, 'flips' | 'slope'> | undefined;
  const drawn = Array.from(
    { length: samples },
    (): Drawn => ({
      u: new Float32Array(space.n),
      soft: new Float64Array(learning.element.length),
      count: 0,
    }),
  );
  for (let n = 0; n < steps; n++) {
    const heat = 1 - (1 - coldest) * Math.max(0, (2 * n) / Math.max(1, steps - 1) - 1);
    for (const one of drawn) draw(one, learning, space, heat, chance);
    const { logits, gradient } = yield* gradients(
      drawn.map(({ u }) => u),
      drawn.map(() => margin),
      0.3 + (0.4 * n) / steps,
    );
    for (const [m, { u, count }] of drawn.entries())
      if (reached(goal, argmax(logits[m]!)) && count < (best?.flips.length ?? Number.POSITIVE_INFINITY))
        best = { flips: flippedOf(u, learning), slope: gradient[m]! };
    if (best === undefined && n >= late) cost /= cheaper;
    if (logits.every((z) => leadOf(goal, z) < 0)) cost *= dearer;
    const push = logits.map((z) => Math.max(0, Math.min(1, 0.5 + leadOf(goal, z) / (blur * Math.max(origin.lead, 1e-30)))));
    climb(learning, n, Math.min(1e-12, 1e-6 * origin.worth), (k) => {
      const i = learning.element[k]!;
      let slope = 0;
      for (let m = 0; m < samples; m++) slope += drawn[m]!.soft[k]! * (push[m]! * gradient[m]![i]! * space.flip[i]! - cost);
      return slope / samples;
    });
    if (n + 1 === wide) {
      for (const { u } of drawn) u.fill(0);
      learning = likeliest(learning, kept);
    }
  }
  return best === undefined ? undefined : { ...best, likely: Array.from(likeliest(learning, kept).element) };
}

/** A sampled set of flips. */
interface Drawn {
  readonly u: Float32Array;
  /** Per learned flip the slope of its soft version by its logit. */
  readonly soft: Float64Array;
  count: number;
}

/** Draws a set anew: a flip is made where its logit and a logistic number, times `heat`, are above 0 together. */
function draw(drawn: Drawn, { element, logit }: Learning, { flip }: Flipping, heat: number, chance: Stream): void {
  const { u, soft } = drawn;
  drawn.count = 0;
  for (let k = 0; k < element.length; k++) {
    const i = element[k]!;
    const shifted = logit[k]! + heat * logistic(chance.uniform());
    u[i] = shifted > 0 ? flip[i]! : 0;
    drawn.count += +(shifted > 0);
    const s = 1 / (1 + Math.exp(-shifted));
    soft[k] = s * (1 - s);
  }
}

/** The flips of a drawn set, the least likely first. */
function flippedOf(u: Float32Array, { element, logit }: Learning): number[] {
  return Array.from(element.keys())
    .filter((k) => u[element[k]!] !== 0)
    .sort((a, b) => logit[a]! - logit[b]! || a - b)
    .map((k) => element[k]!);
}

/** A step of Adam up the slopes; `tiny` is far below any slope that matters. */
function climb({ logit, mean, square }: Learning, n: number, tiny: number, slopeOf: (k: number) => number): void {
  const length = alpha / (1 - beta1 ** (n + 1));
  const correction = Math.sqrt(1 - beta2 ** (n + 1));
  for (let k = 0; k < logit.length; k++) {
    const slope = slopeOf(k);
    mean[k] = beta1 * mean[k]! + (1 - beta1) * slope;
    square[k] = beta2 * square[k]! + (1 - beta2) * slope * slope;
    const moved = logit[k]! + (length * mean[k]!) / (Math.sqrt(square[k]!) / correction + tiny);
    logit[k] = Math.max(lowest, Math.min(highest, moved));
  }
}

/** The flips that are learned, and per flip its logit and Adam's two means of slopes. */
interface Learning {
  readonly element: Int32Array;
  readonly logit: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}

function allOf(space: Flipping): Learning {
  const element = flippable(space);
  const zeros = (): Float64Array => new Float64Array(element.length);
  return { element, logit: zeros().fill(start), mean: zeros(), square: zeros() };
}

function likeliest({ element, logit, mean, square }: Learning, most: number): Learning {
  const order = Array.from(element.keys())
    .sort((a, b) => logit[b]! - logit[a]! || a - b)
    .slice(0, most);
  const pick = (values: Float64Array): Float64Array => Float64Array.from(order, (k) => values[k]!);
  return { element: Int32Array.from(order, (k) => element[k]!), logit: pick(logit), mean: pick(mean), square: pick(square) };
}

/** The logistic value below which a share p of all lie; finite at 0. */
const logistic = (p: number): number => Math.log((p + 2 ** -25) / (1 - p + 2 ** -25));
