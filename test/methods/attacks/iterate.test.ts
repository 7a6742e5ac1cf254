import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { GradientOracle, Probe } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { bim, mifgsm, noise, pgd } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, type Recording, sampleOf, untargeted } from './linear.ts';

const free = (n: number) => specOf([n], { bounds: 'unbounded' });
/** One input, two classes: class 1 once x passes `at`. */
const step = (at: number) => linearOracle({ x: [[0], [1]] }, [at, 0]);
const origin = (id: string) => sampleOf(id, { x: new Float32Array(1) });

describe('early stop', () => {
  const threats = [0.25, 0.5, 0.01].map((eps) => ({ x: lpThreat(free(1), { norm: 'linf', eps }) }));
  const batch = ['near', 'far', 'never'].map(origin);
  const goals = batch.map(() => untargeted(0));

  it('lets a sample leave at its first success and return that point', async () => {
    const oracle = step(0.12);
    const outcomes = await bim.run(jobOf(oracle, batch, goals, threats), { ...bim.defaults, alpha: 0.05 });
    expect(outcomes.map(({ status }) => status)).toEqual(['success', 'success', 'failure']);
    expect(outcomes[0]!.inputs!.x![0]).toBeCloseTo(0.15, 6);
    expect([0, 1, 2].map((of) => oracle.counts(of).backwards)).toEqual([4, 4, 10]);
    expect([0, 1, 2].map((of) => oracle.counts(of).forwards)).toEqual([4, 4, 11]);
  });

  it('without it, all walk to the end and the success with the largest margin is kept', async () => {
    const oracle = step(0.12);
    const outcomes = await bim.run(jobOf(oracle, batch, goals, threats), { ...bim.defaults, alpha: 0.05, earlyStop: false });
    expect(outcomes.map(({ status }) => status)).toEqual(['success', 'success', 'failure']);
    expect(outcomes[0]!.inputs!.x![0]).toBeCloseTo(0.25, 6);
    expect(outcomes[1]!.inputs!.x![0]).toBeCloseTo(0.5, 6);
    expect([0, 1, 2].map((of) => oracle.counts(of).backwards)).toEqual([10, 10, 10]);
  });
});

describe('the success kept without early stop', () => {
  it('does not keep the points of the whole batch alive', async () => {
    const threats = [0.25, 0.5].map((eps) => ({ x: lpThreat(free(1), { norm: 'linf', eps }) }));
    const batch = ['a', 'b'].map(origin);
    const job = jobOf(step(0.12), batch, [untargeted(0), untargeted(0)], threats);
    const outcomes = await bim.run(job, { ...bim.defaults, alpha: 0.05, earlyStop: false });
    expect(outcomes.map(({ inputs }) => inputs!.x!.buffer.byteLength)).toEqual([4, 4]);
  });

  it('is the one with the largest margin, not the last', async () => {
    const hump = (x: number) => Float32Array.of(0, 0.02 - (x - 0.3) ** 2);
    const oracle = step(0);
    const uphill = {
      ...oracle,
      logits: async (probes: readonly Probe[]) => probes.map(({ inputs }) => hump(inputs.x![0]!)),
      gradient: async (probes: readonly Probe[]) => ({
        loss: probes.map(() => 0),
        logits: await uphill.logits(probes),
        gradient: probes.map(() => ({ x: Float32Array.of(1) })),
      }),
    };
    const threat = { x: lpThreat(free(1), { norm: 'linf', eps: 1 }) };
    const job = jobOf<GradientOracle>(uphill, [origin('a')], [untargeted(0)], [threat]);
    const [outcome] = await bim.run(job, { steps: 8, alpha: 0.05, earlyStop: false });
    expect(outcome!.inputs!.x![0]).toBeCloseTo(0.3, 6);
  });
});

describe('restarts', () => {
  it('start elsewhere each time, always at the same places, and only for samples that still stand', async () => {
    const flat = linearOracle(
      {
        x: [
          [0, 0],
          [0, 0],
        ],
      },
      [1, 0],
    );
    const run = async () => {
      flat.probes.length = 0;
      const batch = [sampleOf('a', { x: new Float32Array(2) }), sampleOf('b', { x: new Float32Array(2) })];
      const threats = batch.map(() => ({ x: lpThreat(free(2), { norm: 'l2', eps: 1 }) }));
      const goals = [untargeted(0), untargeted(1)];
      await pgd.run(jobOf(flat, batch, goals, threats), { ...pgd.defaults, steps: 1, restarts: 3 });
      return flat.probes.filter(({ of }) => of === 0).map(({ inputs }) => [...inputs.x!]);
    };
    const first = await run();
    expect(new Set(first.map(String)).size).toBe(3);
    expect(flat.probes.filter(({ of }) => of === 1)).toHaveLength(1);
    expect(await run()).toEqual(first);
  });
});

describe('several inputs', () => {
  it('each has its own norm, budget and step; an input without a threat is passed on unchanged', async () => {
    const oracle = linearOracle(
      {
        rgb: [
          [0, 0],
          [3, 4],
        ],
        skeleton: [
          [0, 0],
          [1, -2],
        ],
        clock: [[0], [1]],
      },
      [60, 0],
    );
    const inputs = { rgb: new Float32Array(2), skeleton: new Float32Array(2), clock: Float32Array.of(5) };
    const threat = {
      rgb: lpThreat(free(2), { norm: 'l2', eps: 10 }),
      skeleton: lpThreat(free(2), { norm: 'linf', eps: 0.5 }),
    };
    const job = jobOf(oracle, [sampleOf('a', inputs)], [untargeted(0)], [threat]);
    expect(await bim.run(job, { ...bim.defaults })).toMatchObject([{ status: 'failure' }]);
    const last = oracle.probes.at(-1)!.inputs;
    expect([...last.rgb!].map((value) => Math.round(value * 1e4) / 1e4)).toEqual([6, 8]);
    expect([...last.skeleton!]).toEqual([0.5, -0.5]);
    expect(last.clock).toBe(inputs.clock);
  });
});

describe('mifgsm', () => {
  /** Replays gradients; the model never gives in, so every step is seen. */
  const replay = (gradients: readonly Float32Array[]): Recording => {
    const oracle = linearOracle({ x: [[], []] }, [1, 0]);
    let k = 0;
    return {
      ...oracle,
      async gradient(probes, losses) {
        const { loss, logits } = await oracle.gradient(probes, losses);
        const x = gradients[k++]!;
        return { loss, logits, gradient: probes.map(() => ({ x })) };
      },
    };
  };

  /** Algorithm 1 of the paper, one number at a time. */
  function reference(gradients: readonly Float32Array[], eps: number, alpha: number, mu: number): number[] {
    const n = gradients[0]!.length;
    const g = new Array<number>(n).fill(0);
    const delta = new Array<number>(n).fill(0);
    for (const gradient of gradients) {
      const l1 = gradient.reduce((sum, value) => sum + Math.abs(value), 0);
      for (let i = 0; i < n; i++) {
        g[i] = mu * g[i]! + (l1 === 0 ? 0 : gradient[i]! / l1);
        delta[i] = Math.max(-eps, Math.min(eps, delta[i]! + alpha * Math.sign(g[i]!)));
      }
    }
    return delta;
  }

  async function ours(gradients: readonly Float32Array[], shape: readonly number[], mu: number) {
    const oracle = replay(gradients);
    const x = new Float32Array(gradients[0]!.length);
    const threat = lpThreat(specOf(shape, { bounds: 'unbounded' }), { norm: 'linf', eps: 0.5 });
    const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]);
    await mifgsm.run(job, { ...mifgsm.defaults, steps: gradients.length, alpha: 0.125, mu });
    return [...oracle.probes.at(-1)!.inputs.x!];
  }

  const random = stream('momentum');
  const draw = (n: number) => Float32Array.from({ length: n }, () => random.normal() * 10 ** (4 * random.uniform() - 2));

  it.each([0, 0.5, 1])('follows the paper: mu = %f, on rank 1 and on a video (D6, D7)', async (mu) => {
    for (const shape of [[24], [2, 3, 2, 2]]) {
      const gradients = Array.from({ length: 6 }, () => draw(24));
      expect(await ours(gradients, shape, mu)).toEqual(reference(gradients, 0.5, 0.125, mu));
    }
  });

  it('moves on after a zero gradient instead of freezing (D6)', async () => {
    const [zero, up] = [new Float32Array(3), Float32Array.of(1, -2, 3)];
    expect(await ours([zero, up, up], [3], 1)).toEqual([0.25, -0.25, 0.25]);
  });
});

describe('noise', () => {
  const x = Float32Array.from({ length: 50 }, (_, i) => i / 49);
  const perturbed = async (
    norm: 'linf' | 'l2' | 'l1' | 'l0',
    eps: number,
    bounds: 'unbounded' | { lower: 0; upper: 1 },
    scale?: Float32Array,
  ) => {
    const threat = lpThreat(specOf([50], { bounds }), { norm, eps, ...(scale ? { scale } : {}) });
    const job = { ...jobOf(undefined, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]) };
    const [outcome] = await noise.run(job, noise.defaults);
    const delta = outcome!.inputs!.x!.map((value, i) => value - x[i]!);
    return { delta, size: threat.size(delta) };
  };

  it.each([
    ['linf', 0.03],
    ['l2', 0.7],
    ['l1', 4],
    ['l0', 7],
  ] as const)('has %s norm eps exactly, with and without a scale, and at most eps inside bounds', async (norm, eps) => {
    const scale = Float32Array.from({ length: 50 }, (_, i) => 0.5 + i / 50);
    expect((await perturbed(norm, eps, 'unbounded')).size).toBeCloseTo(eps, 5);
    expect((await perturbed(norm, eps, 'unbounded', scale)).size).toBeCloseTo(eps, 5);
    expect((await perturbed(norm, eps, { lower: 0, upper: 1 })).size).toBeLessThanOrEqual(eps + 1e-5);
  });

  it('linf: every element moves by eps, about half of them up', async () => {
    const { delta } = await perturbed('linf', 0.25, 'unbounded');
    for (const d of delta) expect(Math.abs(d)).toBeCloseTo(0.25, 6);
    const up = delta.filter((d) => d > 0).length;
    expect(up).toBeGreaterThan(10);
    expect(up).toBeLessThan(40);
  });

  it.each([
    ['linf', 1, 24],
    ['l2', Math.sqrt(6), 6],
    ['l1', 6, 6],
    ['l0', 6, 6],
  ] as const)(
    'of zeros and ones flips in %s what an eps of %d pays for, and leaves nothing in between',
    async (norm, eps, flips) => {
      const bits = Float32Array.from({ length: 50 }, (_, i) => i % 2);
      const spec = specOf([50], { domain: 'binary', storage: 'binary' });
      const mask = bits.map((_, i) => (i < 2 ? 0 : 1));
      const job = jobOf(undefined, [sampleOf('a', { x: bits })], [untargeted(0)], [{ x: lpThreat(spec, { norm, eps, mask }) }]);
      const [outcome] = await noise.run(job, noise.defaults);
      const { x: found } = outcome!.inputs!;
      expect(new Set(found)).toEqual(new Set([0, 1]));
      const changed = found!.filter((value, i) => value !== bits[i]).length;
      if (norm === 'linf') expect(Math.abs(changed - flips)).toBeLessThan(12);
      else expect(changed).toBe(flips);
      expect(found!.subarray(0, 2)).toEqual(bits.subarray(0, 2));
    },
  );
});
