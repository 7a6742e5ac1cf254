/** @file Learns the chance of every flip from samples of few flips: what all flips together are worth where many are needed, no gradient at one point says. */
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
  const drawn = Array.from({ length: samples }, () => new Float32Array(space.n));
  const soft = drawn.map(() => new Float64Array(learning.element.length));
  for (let n = 0; n < steps; n++) {
    const { element, logit, mean, square } = learning;
    const heat = 1 - (1 - coldest) * Math.max(0, (2 * n) / Math.max(1, steps - 1) - 1);
    const flips = drawn.map((u, m) => {
      let count = 0;
      for (let k = 0; k < element.length; k++) {
        const i = element[k]!;
        const shifted = logit[k]! + heat * logistic(chance.uniform());
        u[i] = shifted > 0 ? space.flip[i]! : 0;
        count += +(shifted > 0);
        const s = 1 / (1 + Math.exp(-shifted));
        soft[m]![k] = s * (1 - s);
      }
      return count;
    });
    const { logits, gradient } = yield* gradients(
      drawn,
      drawn.map(() => margin),
      0.3 + (0.4 * n) / steps,
    );
    for (const [m, u] of drawn.entries()) {
      if (!reached(goal, argmax(logits[m]!)) || flips[m]! >= (best?.flips.length ?? Number.POSITIVE_INFINITY)) continue;
      const some = Array.from(element.keys()).filter((k) => u[element[k]!] !== 0);
      some.sort((a, b) => logit[a]! - logit[b]! || a - b);
      best = { flips: some.map((k) => element[k]!), slope: gradient[m]! };
    }
    if (best === undefined && n >= late) cost /= cheaper;
    if (logits.every((z) => leadOf(goal, z) < 0)) cost *= dearer;
    const push = logits.map((z) => Math.max(0, Math.min(1, 0.5 + leadOf(goal, z) / (blur * origin.lead))));
    const length = alpha / (1 - beta1 ** (n + 1));
    const correction = Math.sqrt(1 - beta2 ** (n + 1));
    for (let k = 0; k < element.length; k++) {
      const i = element[k]!;
      let slope = 0;
      for (let m = 0; m < samples; m++) slope += soft[m]![k]! * (push[m]! * gradient[m]![i]! * space.flip[i]! - cost);
      slope /= samples;
      mean[k] = beta1 * mean[k]! + (1 - beta1) * slope;
      square[k] = beta2 * square[k]! + (1 - beta2) * slope * slope;
      const moved = logit[k]! + (length * mean[k]!) / (Math.sqrt(square[k]!) / correction + 1e-12);
      logit[k] = Math.max(lowest, Math.min(highest, moved));
    }
    if (n + 1 === wide) {
      for (const u of drawn) u.fill(0);
      learning = likeliest(learning, kept);
    }
  }
  return best === undefined ? undefined : { ...best, likely: Array.from(likeliest(learning, kept).element) };
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
