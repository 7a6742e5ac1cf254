/** Samples of zeros and ones on a linear model, where the fewest flips are known: of two classes, the largest gains first until they exceed the lead. */
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { Options } from '../../../src/kit/options.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Threat } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { briskOptions } from './brisk.ts';
import { jobOf, linearOracle, sampleOf, untargeted } from './linear.ts';

export interface FlipScene {
  readonly shape?: readonly number[];
  readonly gap?: number;
  readonly seed?: number;
  readonly samples?: number;
  readonly mask?: Float32Array;
  /** Which elements the attack may flip, for the fewest flips. */
  readonly may?: (value: number) => boolean;
  readonly goal?: Goal;
}

export const binarySpec = (shape: readonly number[]) => specOf(shape, { domain: 'binary', storage: 'binary' });

/** Class 0 leads by `gap` in every sample, which is made up for by an input that is not attacked. */
export function flipScene(scene: FlipScene = {}) {
  const { shape = [3, 2, 4, 4], gap = 6, seed = 0, samples = 3, mask, may = () => true, goal = untargeted(0) } = scene;
  const n = shape.reduce((a, b) => a * b, 1);
  const random = stream('flip scene', seed);
  const slope = Array.from({ length: n }, () => random.normal());
  const batch = Array.from({ length: samples }, (_, k) => {
    const x = Float32Array.from({ length: n }, () => +(random.uniform() < 0.3));
    const lead = -slope.reduce((sum, w, i) => sum + w * x[i]!, 0);
    return sampleOf(`s${k}`, { x, given: Float32Array.of(gap - lead) });
  });
  const oracle = linearOracle({ x: [slope.map((w) => -w / 2), slope.map((w) => w / 2)], given: [[1], [0]] }, [0, 0]);
  const threat = lpThreat(binarySpec(shape), { norm: 'l0', eps: n, ...(mask === undefined ? {} : { mask }) });
  /** The fewest flips of each sample; Infinity where all together do not suffice. */
  const fewest = batch.map(({ inputs: { x } }) => {
    const gains = slope.map((w, i) => (mask?.[i] === 0 || !may(x![i]!) ? 0 : w * (1 - 2 * x![i]!))).sort((a, b) => b - a);
    let sum = 0;
    for (const [k, gain] of gains.entries()) {
      if (gain <= 0) return Number.POSITIVE_INFINITY;
      sum += gain;
      if (sum > gap) return k + 1;
    }
    return Number.POSITIVE_INFINITY;
  });
  const run = (attack: Attack, options: Options = {}, { which = batch.map((_, k) => k), seed: keyed = 0 } = {}) => {
    const chosen = which.map((k) => batch[k]!);
    const job = jobOf(
      oracle,
      chosen,
      chosen.map(() => goal),
      chosen.map((): Record<string, Threat> => ({ x: threat })),
    );
    const random = (i: number, restart: number) => job.random(i, restart).fork(keyed);
    return attack.run({ ...job, random }, { ...briskOptions(attack), ...options });
  };
  /** How many elements of an example differ; Infinity for a failure. Throws where a value is neither 0 nor 1. */
  const flips = (k: number, found: { readonly inputs?: Readonly<Record<string, Float32Array>> }): number => {
    const x = found.inputs?.x;
    if (x === undefined) return Number.POSITIVE_INFINITY;
    if (!x.every((value) => value === 0 || value === 1)) throw new Error('a value between 0 and 1');
    return x.filter((value, i) => value !== batch[k]!.inputs.x![i]).length;
  };
  return { batch, oracle, threat, slope, fewest, run, flips, n };
}
