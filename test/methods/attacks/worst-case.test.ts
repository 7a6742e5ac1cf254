/** @file What the suite worst-case runs on inputs of different norms, on binary inputs, and towards a class. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { autoattack, worstCase } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const n = 12;

/** Two inputs on a linear model, the second without bounds, each with a norm and an eps of its own. */
function twoInputs(first: Norm, second: Norm, eps: readonly [number, number], target?: number) {
  const weights = { rgb: randomWeights(4, n, 'rgb'), skeleton: randomWeights(4, n, 'skeleton') };
  const oracle = linearOracle(weights, [0, 0, 0, 0]);
  const batch = Array.from({ length: 4 }, (_, k) => {
    const random = stream('two inputs', k);
    const draw = () => Float32Array.from({ length: n }, () => random.uniform());
    return sampleOf(`p${k}`, { rgb: draw(), skeleton: draw() });
  });
  const threats = {
    rgb: lpThreat(specOf([n]), { norm: first, eps: eps[0] }),
    skeleton: lpThreat(specOf([n], { bounds: 'unbounded' }), { norm: second, eps: eps[1] }),
  };
  return { oracle, batch, threats, target };
}

async function runTwo({ oracle, batch, threats, target }: ReturnType<typeof twoInputs>) {
  const labels = await oracle.labels(batch.map(({ inputs }, of) => ({ of, inputs })));
  const goals = labels.map((label) =>
    target === undefined ? untargeted(label) : ({ kind: 'targeted', label, target } as const),
  );
  const job = jobOf(
    oracle,
    batch,
    goals,
    batch.map(() => threats),
  );
  const outcomes = await worstCase.run(job, worstCase.defaults);
  return { outcomes, labels };
}

describe('worst-case on inputs of different norms', () => {
  const names = (norms: Norm[], more = {}) =>
    worstCase.parts!(worstCase.defaults, { classes: 5, norms, ...more }).map(({ name }) => name);

  it('keeps the parts that work in all norms at once', () => {
    expect(names(['linf'])).toEqual(['apgd-ce', 'apgd-t', 'fab-t', 'square']);
    expect(names(['linf', 'l2'])).toEqual(['apgd-ce', 'apgd-t', 'square']);
    expect(names(['l1'])).toEqual(['apgd-ce', 'apgd-t', 'fab-t']);
    expect(names(['linf', 'l1'])).toEqual(['apgd-ce', 'apgd-t']);
    expect(names(['l0'])).toEqual(['sigma-zero', 'fmn', 'few-pixel']);
  });

  it('on binary inputs it keeps the parts that flip', () => {
    expect(names(['l2'], { binary: true })).toEqual(['square']);
    expect(names(['l0'], { binary: true })).toEqual([
      'sda',
      'greedy-flip',
      'gumbel-flip',
      'jsma',
      'sigma-zero',
      'fmn',
      'few-pixel',
    ]);
    expect(() => names(['l1'], { binary: true })).toThrow(/flips values within a budget in l1/);
  });

  it.each([
    ['linf', 1],
    ['l2', 2],
    ['l0', 3],
  ] as const)('what it finds on a binary input in %s are zeros and ones, within the budget', async (norm, eps) => {
    const oracle = linearOracle({ x: randomWeights(3, n, 'suite') }, [0, 0, 0]);
    const batch = Array.from({ length: 5 }, (_, k) => {
      const random = stream('bits', k);
      return sampleOf(`s${k}`, { x: Float32Array.from({ length: n }, () => Math.round(random.uniform())) });
    });
    const labels = await oracle.labels(batch.map(({ inputs }, of) => ({ of, inputs })));
    const threat = lpThreat(specOf([n], { domain: 'binary', storage: 'binary' }), { norm, eps });
    const job = jobOf(
      oracle,
      batch,
      labels.map(untargeted),
      batch.map(() => ({ x: threat })),
    );
    const outcomes = await worstCase.run(job, worstCase.defaults);
    const found = outcomes.flatMap(({ status, inputs }, of) => (status === 'success' ? [{ of, x: inputs!.x! }] : []));
    expect(found.length).toBeGreaterThan(2);
    for (const { of, x } of found) {
      expect(x.every((value) => value === 0 || value === 1)).toBe(true);
      expect(threat.size(x.map((value, i) => value - batch[of]!.inputs.x![i]!))).toBeLessThanOrEqual(eps);
    }
  });

  it('says before the run that nothing is left', () => {
    const facts = { classes: 5, norms: ['linf', 'l0'] as const };
    expect(() => worstCase.admit!(worstCase.defaults, facts)).toThrow(/no part that keeps to linf and l0 at once/);
    expect(() => autoattack.admit!(autoattack.defaults, { classes: 5, norms: ['linf', 'l2'] })).toThrow(
      /one norm for all inputs/,
    );
  });

  it.each([
    ['linf', 'l2', [0.2, 1]],
    ['linf', 'l1', [0.2, 2]],
    ['l2', 'l2', [0.6, 1]],
  ] as const)('%s and %s: finds examples in which each input keeps to its own', async (first, second, eps) => {
    const scene = twoInputs(first, second, eps);
    const { outcomes, labels } = await runTwo(scene);
    const found = outcomes.flatMap(({ status, inputs }, of) => (status === 'success' ? [{ of, inputs: inputs! }] : []));
    expect(found.length).toBeGreaterThan(0);
    expect((await scene.oracle.labels(found)).every((label, k) => label !== labels[found[k]!.of])).toBe(true);
    for (const { of, inputs } of found)
      for (const [name, threat] of Object.entries(scene.threats)) {
        const delta = inputs[name]!.map((value, i) => value - scene.batch[of]!.inputs[name]![i]!);
        expect(threat.size(delta)).toBeLessThanOrEqual(threat.eps * (1 + 1e-6) + 1e-6);
      }
  });

  it('towards a class: reaches that one', async () => {
    const scene = twoInputs('linf', 'l2', [0.5, 3], 2);
    const { outcomes, labels } = await runTwo(scene);
    const found = outcomes.flatMap(({ status, inputs }, of) =>
      status === 'success' && labels[of] !== 2 ? [{ of, inputs: inputs! }] : [],
    );
    expect(found.length).toBeGreaterThan(0);
    expect(await scene.oracle.labels(found)).toEqual(found.map(() => 2));
  });
});
