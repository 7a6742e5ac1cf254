/** @file One sample of a linear model, attacked by descent on size and loss (C&W, EAD), beside the smallest change there is. */
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { Options } from '../../../src/kit/options.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { readOptions } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { smallestOverClasses } from './exact.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

export interface Scene {
  readonly n?: number;
  readonly classes?: number;
  readonly unbounded?: boolean;
  /** How far class 0 leads. */
  readonly gap?: number;
  readonly values?: (n: number) => Float32Array;
  readonly goal?: Goal;
  readonly given?: Options;
}

/** What an attack finds on a linear model whose class 0 leads the others by `gap` and more; `usual` are the options of scenes that give none. */
export function penalised(attack: Attack, norm: 'l1' | 'l2', usual: Options) {
  const { name } = attack;
  const inside = (n: number): Float32Array => {
    const random = stream(`${name} inside`);
    return Float32Array.from({ length: n }, () => 0.4 + 0.2 * random.uniform());
  };
  const binary = (n: number): Float32Array => {
    const random = stream(`${name} binary`);
    return Float32Array.from({ length: n }, () => random.integer(2));
  };
  const attacked = async ({
    n = 12,
    classes = 2,
    unbounded = false,
    gap = 0.3,
    values = inside,
    goal = untargeted(0),
    given = usual,
  }: Scene) => {
    const weights = randomWeights(classes, n, name);
    const x = values(n);
    const bias = weights.map((row, c) => (c === 0 ? gap : -0.1 * (c - 1)) - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
    const oracle = linearOracle({ x: weights }, bias);
    const threat = lpThreat(specOf([n], unbounded ? { bounds: 'unbounded' } : {}), { norm, eps: 1 });
    const job = jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]);
    const [outcome] = await attack.run(job, readOptions(attack, given));
    const delta = outcome!.inputs?.x?.map((value, i) => value - x[i]!) ?? new Float32Array(n).fill(Number.POSITIVE_INFINITY);
    const size = threat.size(delta);
    const room = {
      low: Array.from(x, (value) => (unbounded ? Number.NEGATIVE_INFINITY : -value)),
      high: Array.from(x, (value) => (unbounded ? Number.POSITIVE_INFINITY : 1 - value)),
    };
    const ratio = size / smallestOverClasses(norm, weights, bias, x, 0, room);
    return { outcome: outcome!, delta, size, ratio, oracle, x, weights, bias };
  };
  return { attacked, inside, binary };
}
