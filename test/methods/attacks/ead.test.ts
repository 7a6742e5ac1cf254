/** @file EAD: on linear models it comes close to the smallest l1 change, in few elements; what it proposes is what it checked. */
import { describe, expect, it } from 'vitest';
import { leadOf, reached } from '../../../src/kit/losses/loss.ts';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { ead } from '../../../src/methods/attacks/ead.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, sampleOf, untargeted } from './linear.ts';
import { penalised } from './penalised.ts';

const { attacked, binary } = penalised(ead as Attack, 'l1', {});

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
