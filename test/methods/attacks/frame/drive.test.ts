/** @file Many samples on their way together: progress, stopping, and that none depends on another. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/core/tensor/random.ts';
import type { Probe } from '../../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import { drive } from '../../../../src/methods/attacks/frame/drive.ts';
import type { Joint } from '../../../../src/methods/attacks/frame/joint.ts';
import { jointOf } from '../../../../src/methods/attacks/frame/joint.ts';
import { type Attempt, gradients, labels, logits } from '../../../../src/methods/attacks/frame/question.ts';
import type { Keep, Trial } from '../../../../src/methods/attacks/frame/walker.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from '../linear.ts';
import { ask, asking, half, jobOver, upwards } from './line.ts';

/** Asks for a random while, random things at random points, and goes on from the best. */
function* wandering({ space, random, best }: Trial<Joint>): Attempt {
  const draws = random(0);
  for (let k = draws.integer(12); k >= 0; k--) {
    const from = best()?.u ?? new Float32Array(space.n);
    const at = Array.from({ length: 1 + draws.integer(3) }, () => space.clip(from.map((value) => value + draws.normal())));
    const how = draws.integer(3);
    if (how === 0) yield* labels(at);
    else if (how === 1) yield* logits(at);
    else {
      const { gradient } = yield* gradients(
        at,
        at.map(() => upwards),
      );
      yield* logits(gradient.map((g, j) => space.clip(at[j]!.map((value, i) => value + g[i]!))));
    }
  }
}

describe('a batch', () => {
  const n = 5;
  const weights = { x: randomWeights(3, n, 'wandering') };
  const batch = Array.from({ length: 8 }, (_, k) => {
    const draws = stream('wandering', k);
    return sampleOf(`s${k}`, { x: Float32Array.from({ length: n }, () => draws.uniform()) });
  });
  const threat = { x: lpThreat(specOf([n]), { norm: 'l2', eps: 1 }) };
  const run = (which: readonly number[], keep: Keep) => {
    const chosen = which.map((k) => batch[k]!);
    const goals = which.map((k) => untargeted(k % 3));
    const job = jobOf(
      linearOracle(weights, [0, 0, 0]),
      chosen,
      goals,
      chosen.map(() => threat),
    );
    return drive(job, { space: jointOf, keep, attempt: wandering });
  };

  it('gives the same bits in any split and order (D18)', () =>
    fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
        fc.constantFrom('first' as const, 'widest' as const, 'smallest' as const),
        async (which, keep) => {
          const alone = await Promise.all(which.map(async (k) => (await run([k], keep))[0]!));
          expect(await run(which, keep)).toEqual(alone);
        },
      ),
      { numRuns: 15 },
    ));

  it('travels in one question of each kind', async () => {
    const sizes: number[] = [];
    const oracle = half();
    const counting = {
      ...oracle,
      logits: (asked: readonly Probe[]) => {
        sizes.push(asked.length);
        return oracle.logits(asked);
      },
    };
    const attempt = ({ of }: Trial<Joint>) =>
      asking(
        Array.from({ length: of + 1 }, () =>
          ask([
            [0, 0],
            [-1, 0],
          ]),
        ),
      );
    await drive(jobOver(counting, 3), { space: jointOf, keep: 'smallest', attempt });
    expect(sizes).toEqual([6, 4, 2]);
  });

  it('of no samples has no outcomes', async () => {
    expect(await drive(jobOver(half(), 0), { space: jointOf, keep: 'first', attempt: wandering })).toEqual([]);
  });
});

describe('samples attacked at different inputs, or in another order', () => {
  const spec = (length: number) => lpThreat(specOf([length], { bounds: 'unbounded' }), { norm: 'linf', eps: 9 });
  const threats = [{ a: spec(1), b: spec(2) }, { b: spec(2) }, { b: spec(2), a: spec(1) }];

  it('are each moved where they may be, and keep their originals', async () => {
    const oracle = linearOracle(
      {
        a: [[0], [0]],
        b: [
          [0, 0],
          [0, 0],
        ],
      },
      [1, 0],
    );
    const batch = threats.map((_, k) => sampleOf(`s${k}`, { a: Float32Array.of(10), b: Float32Array.of(20, 30) }));
    const job = jobOf(
      oracle,
      batch,
      batch.map(() => untargeted(0)),
      threats,
    );
    const attempt = ({ space }: Trial<Joint>) =>
      asking([{ ask: 'logits', at: [Float32Array.from({ length: space.n }, (_, i) => i + 1)] }]);
    await drive(job, { space: jointOf, keep: 'first', attempt });
    expect(oracle.probes.map(({ inputs }) => [...inputs.a!, ...inputs.b!])).toEqual([
      [11, 22, 33],
      [10, 21, 32],
      [13, 21, 32],
    ]);
    expect(batch.map(({ inputs }) => [...inputs.a!, ...inputs.b!])).toEqual(batch.map(() => [10, 20, 30]));
  });
});

describe('progress', () => {
  /** What was reported, as shares. */
  async function reported(shares: readonly (readonly (number | undefined)[])[], queries?: readonly number[]): Promise<number[]> {
    const seen: number[] = [];
    const progress = (done: number, of: number) => void seen.push(of === 0 ? 1 : done / of);
    await drive(jobOver(half(), shares.length, { progress, ...(queries && { queries }) }), {
      space: jointOf,
      keep: 'smallest',
      attempt: ({ of }) => asking(shares[of]!.map((done) => ask([[0, 0]], 'logits', done === undefined ? {} : { done }))),
    });
    return seen;
  }

  it('never falls and ends at all, whatever the attempts say', () => {
    const share = fc.option(fc.double({ min: 0, max: 1.5, noNaN: true }), { nil: undefined });
    return fc.assert(
      fc.asyncProperty(fc.array(fc.array(share, { maxLength: 6 }), { maxLength: 4 }), async (shares) => {
        const seen = await reported(shares);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        expect(seen.at(-1)).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  it('is the mean of the shares that are behind the attempts', async () => {
    expect(await reported([[0, 0.5], [0]])).toEqual([0, 0.75, 1]);
  });

  it('ends at all where no question may be asked', async () => {
    expect(await reported([[0, 0.5], [0]], [0, 0])).toEqual([1]);
  });
});

describe('a signal', () => {
  it('given before the start stops the attack before a question', async () => {
    const oracle = half();
    const job = jobOver(oracle, 1, { signal: AbortSignal.abort() });
    await expect(drive(job, { space: jointOf, keep: 'first', attempt: wandering })).rejects.toThrow(/abort/i);
    expect(oracle.probes).toEqual([]);
  });

  it('given on the way stops it before the next', async () => {
    const oracle = half();
    const control = new AbortController();
    const attempt = function* (): Attempt {
      yield ask([[0, 0]]);
      control.abort();
      yield ask([[0, 0]]);
    };
    const job = jobOver(oracle, 1, { signal: control.signal });
    await expect(drive(job, { space: jointOf, keep: 'first', attempt })).rejects.toThrow(/abort/i);
    expect(oracle.probes).toHaveLength(1);
  });
});
