/** @file EAD: on linear models it comes close to the smallest l1 change, in few elements; what it proposes is what it checked. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { type Goal, leadOf, reached } from '../../../src/kit/losses/loss.ts';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { ead } from '../../../src/methods/attacks/ead.ts';
import { readOptions } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { smallestOverClasses } from './exact.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

interface Scene {
  readonly n?: number;
  readonly classes?: number;
  readonly unbounded?: boolean;
  readonly gap?: number;
  readonly values?: (n: number) => Float32Array;
  readonly goal?: Goal;
  readonly given?: Record<string, unknown>;
}

const inside = (n: number): Float32Array => {
  const random = stream('ead inside');
  return Float32Array.from({ length: n }, () => 0.4 + 0.2 * random.uniform());
};
const binary = (n: number): Float32Array => {
  const random = stream('ead binary');
  return Float32Array.from({ length: n }, () => random.integer(2));
};

async function attacked({
  n = 12,
  classes = 2,
  unbounded = false,
  gap = 0.3,
  values = inside,
  goal = untargeted(0),
  given = {},
}: Scene) {
  const weights = randomWeights(classes, n, 'ead');
  const x = values(n);
  const bias = weights.map((row, c) => (c === 0 ? gap : -0.1 * (c - 1)) - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
  const oracle = linearOracle({ x: weights }, bias);
  const threat = lpThreat(specOf([n], unbounded ? { bounds: 'unbounded' } : {}), { norm: 'l1', eps: 1 });
  const [outcome] = await ead.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]), readOptions(ead, given));
  const delta = outcome!.inputs?.x?.map((value, i) => value - x[i]!) ?? new Float32Array(n).fill(Number.POSITIVE_INFINITY);
  const room = {
    low: Array.from(x, (value) => (unbounded ? Number.NEGATIVE_INFINITY : -value)),
    high: Array.from(x, (value) => (unbounded ? Number.POSITIVE_INFINITY : 1 - value)),
  };
  const best = smallestOverClasses('l1', weights, bias, x, 0, room);
  const sum = delta.reduce((total, d) => total + Math.abs(d), 0);
  return { outcome: outcome!, delta, ratio: sum / best, oracle, x };
}

describe('on linear models, over the smallest l1 change there is', () => {
  it.each([
    ['two classes', {}, 1.05],
    ['five classes', { classes: 5 }, 1.25],
    ['no bounds', { unbounded: true }, 1.25],
    ['200 elements', { n: 200 }, 1.1],
    ['bounds in the way: every value is 0 or 1 (D5)', { values: binary, gap: 1 }, 1.1],
  ] as const)('%s', async (_, scene, limit) => {
    const { ratio } = await attacked(scene);
    expect(ratio).toBeGreaterThan(1 - 1e-5);
    expect(ratio).toBeLessThan(limit);
  });

  it('leaves all but a few of 200 elements exactly as they were', async () => {
    const { delta } = await attacked({ n: 200 });
    expect(delta.filter((d) => d !== 0).length).toBeLessThan(20);
  });

  it('rule en keeps an example of no larger elastic net, and a larger l1', async () => {
    const net = (delta: Float32Array) => delta.reduce((sum, d) => sum + 0.001 * Math.abs(d) + d * d, 0);
    const given = { beta: 0.001, steps: 100 };
    const [l1, en] = [await attacked({ n: 30, given }), await attacked({ n: 30, given: { ...given, rule: 'en' } })];
    expect(net(en.delta)).toBeLessThanOrEqual(net(l1.delta));
    expect(en.ratio).toBeGreaterThanOrEqual(l1.ratio);
  });
});

describe('where others go wrong', () => {
  it('a model that cannot be attacked: failure, and nothing proposed (D3)', async () => {
    const oracle = linearOracle({ x: [new Array(4).fill(0), new Array(4).fill(0)] }, [1, 0]);
    const x = Float32Array.from([0, 1, 0.5, 0.5]);
    const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(specOf([4]), { norm: 'l1', eps: 1 }) }]);
    const [outcome] = await ead.run(job, { ...ead.defaults, steps: 30 });
    expect(outcome!.status).toBe('failure');
    expect(outcome!.inputs).toBeUndefined();
  });

  it('what is returned was shown to the model, and reached the goal there (D20)', async () => {
    const { outcome, oracle } = await attacked({ n: 30, given: { steps: 60 } });
    const shown = oracle.probes.filter(({ inputs }) => inputs.x!.every((value, i) => value === outcome.inputs!.x![i]));
    expect(shown.length).toBeGreaterThan(0);
    const [z] = await oracle.logits(shown);
    expect(reached(untargeted(0), argmax(z!))).toBe(true);
  });

  it('targeted: the class asked for (D21)', async () => {
    for (const target of [1, 2, 3]) {
      const { outcome, oracle } = await attacked({
        classes: 4,
        n: 30,
        goal: { kind: 'targeted', label: 0, target },
        given: { steps: 100 },
      });
      expect(await oracle.labels([{ of: 0, inputs: outcome.inputs! }])).toEqual([target]);
    }
  });

  it('kappa: examples are that many logits beyond the boundary', async () => {
    const { outcome, oracle } = await attacked({ given: { kappa: 0.3, steps: 100 } });
    const [z] = await oracle.logits([{ of: 0, inputs: outcome.inputs! }]);
    expect(leadOf(untargeted(0), z!)).toBeLessThanOrEqual(-0.3);
  });
});
