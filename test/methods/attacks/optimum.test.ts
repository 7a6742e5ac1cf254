/** @file On a linear model the best perturbation is known: attacks must reach it, and no attack may claim more. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { bim, fgsm, mifgsm, pgd, readOptions } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const n = 12;
const weights = randomWeights(2, n, 'optimum');
const random = stream('optimum');
const x = Float32Array.from({ length: n }, () => random.uniform());
const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
const norm1 = slope.reduce((sum, w) => sum + Math.abs(w), 0);
const norm2 = Math.hypot(...slope);
/** The bias that gives class 0 a lead of 1 at x. */
const lead = 1 + slope.reduce((sum, w, i) => sum + w * x[i]!, 0);
const bias = [lead, 0];
const spec = specOf([n], { bounds: 'unbounded' });

async function attackWith(attack: Attack, norm: Norm, eps: number, given: Record<string, unknown> = {}) {
  const oracle = linearOracle({ x: weights }, bias);
  const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(spec, { norm, eps }) }]);
  const [outcome] = await attack.run(job, readOptions(attack, given));
  return { outcome: outcome!, oracle, delta: outcome!.inputs?.x?.map((value, i) => value - x[i]!) };
}

/** From the original, so that what is measured is the steps, not the start. */
const still = { pgd: { randomStart: false } } as const;
const iterative = [fgsm, bim, pgd, mifgsm] as readonly Attack[];

describe.each(iterative.map((attack) => [attack.name, attack] as const))('%s', (name, attack) => {
  const options = name === 'pgd' ? still.pgd : {};

  it('linf: succeeds just above the smallest budget that can, lead / |w|_1, and fails just below', async () => {
    expect((await attackWith(attack, 'linf', 1.001 / norm1, options)).outcome.status).toBe('success');
    expect((await attackWith(attack, 'linf', 0.999 / norm1, options)).outcome.status).toBe('failure');
  });

  it('l2: the same at lead / |w|_2', async () => {
    expect((await attackWith(attack, 'l2', 1.001 / norm2, options)).outcome.status).toBe('success');
    expect((await attackWith(attack, 'l2', 0.999 / norm2, options)).outcome.status).toBe('failure');
  });

  it('uses the whole budget in the direction of the weights', async () => {
    const full = name === 'fgsm' ? options : { ...options, earlyStop: false };
    const { delta } = await attackWith(attack, 'linf', 0.5, full);
    delta!.forEach((d, i) => {
      expect(d).toBeCloseTo(0.5 * Math.sign(slope[i]!), 6);
    });
    const { delta: round } = await attackWith(attack, 'l2', 2, full);
    round!.forEach((d, i) => {
      expect(d).toBeCloseTo((2 * slope[i]!) / norm2, 5);
    });
  });

  it('succeeds wherever a smaller budget succeeded', async () => {
    const statuses = [];
    for (let k = 1; k <= 8; k++) statuses.push((await attackWith(attack, 'linf', (k * 0.25) / norm1, options)).outcome.status);
    expect(statuses).toEqual([...new Array(3).fill('failure'), ...statuses.slice(3)]);
    expect(statuses.slice(4)).toEqual(new Array(4).fill('success'));
  });
});

describe('pgd', () => {
  it('turns a random start into the best direction: the angle shrinks by 1 + alpha / eps in every step', async () => {
    const { delta } = await attackWith(pgd as Attack, 'l2', 5, { alpha: 5, steps: 20, earlyStop: false });
    const size = Math.hypot(...delta!);
    const cosine = delta!.reduce((sum, d, i) => sum + d * slope[i]!, 0) / (size * norm2);
    expect(size).toBeCloseTo(5, 5);
    expect(cosine).toBeGreaterThan(1 - 1e-6);
  });

  it('the margin loss steps where the cross-entropy has underflowed', async () => {
    const steep = weights.map((row) => row.map((w) => 1e4 * w));
    const oracle = linearOracle({ x: steep }, [1e4 * lead, 0]);
    const threat = lpThreat(spec, { norm: 'linf', eps: 1.1 / norm1 });
    const run = (loss: string) =>
      pgd.run(jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]), {
        ...pgd.defaults,
        randomStart: false,
        loss,
      });
    expect((await run('ce'))[0]!.status).toBe('failure');
    expect((await run('margin'))[0]!.status).toBe('success');
  });

  it.each(['ce', 'margin'])('targeted with %s: reaches the class asked for, not just another', async (loss) => {
    const five = randomWeights(5, n, 'targeted');
    for (const target of [1, 2, 3, 4]) {
      const oracle = linearOracle({ x: five }, [20, 0, 0, 0, 0]);
      const goal = { kind: 'targeted', label: 0, target } as const;
      const threat = lpThreat(spec, { norm: 'linf', eps: 5 });
      const [outcome] = await pgd.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]), { ...pgd.defaults, loss });
      expect(outcome!.status).toBe('success');
      expect(await oracle.labels([{ of: 0, inputs: outcome!.inputs! }])).toEqual([target]);
    }
  });
});
