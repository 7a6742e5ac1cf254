/** @file What must hold of every attack in the registry, whatever it does. The D numbers are defects of other libraries that these tests would have caught. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import { reached } from '../../../src/kit/losses/loss.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { type Attack, onlyFlips } from '../../../src/methods/attacks/attack.ts';
import { attacks } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { briskOptions } from './brisk.ts';
import { jobOf, linearOracle, type Recording, randomWeights, sampleOf, untargeted } from './linear.ts';

const shapes = [[12], [4, 3], [3, 2, 2], [2, 3, 2, 2], [2, 2, 3, 2, 2]];
const budgets: Readonly<Record<Norm, number>> = { linf: 0.2, l2: 0.8, l1: 2, l0: 4 };
/** Suites are made of these: what must hold of them is in suites.test.ts. */
const single = Object.values(attacks).filter(({ parts }) => parts === undefined);
const cases = single.flatMap((attack) => attack.norms.map((norm) => [attack.name, norm, attack] as const));
const queried = single.filter((attack) => attack.needs !== 'none');

/** Inputs hold two values for attacks that can do nothing but flip. */
const spec = (attack: Attack, shape: readonly number[]) =>
  specOf(shape, onlyFlips(attack) ? { domain: 'binary', storage: 'binary' } : {});

/** Samples some of whose elements sit on the bounds (all of them, where they flip), on a model of `classes` classes. */
function scene(attack: Attack, norm: Norm, { shape = [3, 2, 2], classes = 3, count = 6, eps = budgets[norm] } = {}) {
  const n = sizeOf(shape);
  const oracle = linearOracle({ x: randomWeights(classes, n, 'scene') }, new Array(classes).fill(0));
  const batch = Array.from({ length: count }, (_, k) => {
    const random = stream('scene', k);
    const draw = (): number => Math.min(1, Math.max(0, 2 * random.uniform() - 0.5));
    return sampleOf(`s${k}`, { x: Float32Array.from({ length: n }, () => (onlyFlips(attack) ? Math.round(draw()) : draw())) });
  });
  const threat = { x: lpThreat(spec(attack, shape), { norm, eps }) };
  const run = async (which: readonly number[]) => {
    const chosen = which.map((k) => batch[k]!);
    const labels = await oracle.labels(chosen.map(({ inputs }, of) => ({ of, inputs })));
    oracle.probes.length = 0;
    const job = jobOf(
      oracle,
      chosen,
      labels.map(untargeted),
      chosen.map(() => threat),
    );
    return { outcomes: await attack.run(job, briskOptions(attack)), labels };
  };
  return { batch, oracle, threat: threat.x, run, all: batch.map((_, k) => k) };
}

/** l1-APGD begins in a ball of 3 eps; what it proposes is inside eps. */
const scoutsTo: Readonly<Record<string, number>> = { apgd: 3, autoattack: 3, 'worst-case': 3 };

describe.each(cases)('%s in %s', (_, norm, attack) => {
  it('every point asked about and every example is inside ball and bounds (D22)', async () => {
    const { batch, oracle, threat, run, all } = scene(attack, norm);
    const { outcomes } = await run(all);
    const asked = oracle.probes.map((probe) => ({ ...probe, reach: norm === 'l1' ? (scoutsTo[attack.name] ?? 1) : 1 }));
    const points = [...asked, ...outcomes.flatMap(({ inputs }, of) => (inputs ? [{ of, inputs, reach: 1 }] : []))];
    expect(points.length).toBeGreaterThan(0);
    for (const { of, inputs, reach } of points) {
      const delta = inputs.x!.map((value, i) => value - batch[of]!.inputs.x![i]!);
      if (attack.kind === 'bounded')
        expect(threat.size(delta)).toBeLessThanOrEqual(reach * budgets[norm] * (1 + 1e-6) + (norm === 'l0' ? 0 : 12 * 2 ** -24));
      expect(inputs.x!.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });

  it('gives the same bits for any split and order of the batch (D18)', async () => {
    const { run, all } = scene(attack, norm);
    const { outcomes } = await run(all);
    const backwards = await run([...all].reverse());
    expect([...backwards.outcomes].reverse()).toEqual(outcomes);
    for (const k of all) expect((await run([k])).outcomes).toEqual([outcomes[k]]);
  });

  it.each(shapes.map((shape) => [shape.length, shape] as const))(
    'works on rank %i, with two classes, on one sample (D8)',
    async (__, shape) => {
      const { run } = scene(attack, norm, { shape, classes: 2, eps: 50 });
      const { outcomes, labels } = await run([0]);
      expect(outcomes).toHaveLength(1);
      if (attack.needs === 'gradient') expect(outcomes[0]!.status).toBe('success');
      if (outcomes[0]!.inputs) expect(outcomes[0]!.inputs.x).toHaveLength(sizeOf(shape));
      expect(labels).toHaveLength(1);
    },
  );

  it("leaves the samples and the caller's random streams as they were (D11)", async () => {
    const { batch, oracle, threat } = scene(attack, norm);
    const before = batch.map(({ inputs }) => inputs.x!.slice());
    const held = stream('held');
    const job = {
      ...jobOf(
        oracle,
        batch,
        batch.map(() => untargeted(0)),
        batch.map(() => ({ x: threat })),
      ),
      random: () => held,
    };
    await attack.run(job, briskOptions(attack));
    expect(batch.map(({ inputs }) => inputs.x)).toEqual(before);
    expect(held.bits()).toBe(stream('held').bits());
  });

  it.skipIf(attack.kind === 'minimal')('returns the original at eps 0', async () => {
    const { batch, run } = scene(attack, norm, { eps: 0 });
    const { outcomes } = await run([0]);
    expect(outcomes[0]!.inputs?.x ?? batch[0]!.inputs.x).toEqual(batch[0]!.inputs.x);
  });

  it('stops when told to', async () => {
    const { batch, oracle, threat } = scene(attack, norm);
    const job = {
      ...jobOf(
        oracle,
        batch,
        batch.map(() => untargeted(0)),
        batch.map(() => ({ x: threat })),
      ),
      signal: AbortSignal.abort(),
    };
    await expect(attack.run(job, briskOptions(attack))).rejects.toThrow(/abort/i);
  });
});

const nanGradient = (oracle: Recording, of: number) => ({
  ...oracle,
  gradient: async (...asked: Parameters<Recording['gradient']>) => {
    const answer = await oracle.gradient(...asked);
    const gradient = answer.gradient.map((g, k) => (asked[0][k]!.of === of ? { x: g.x!.map(() => Number.NaN) } : g));
    return { ...answer, gradient };
  },
});

const nanLogits = (oracle: Recording, of: number) => ({
  ...oracle,
  gradient: async (...asked: Parameters<Recording['gradient']>) => {
    const answer = await oracle.gradient(...asked);
    const logits = answer.logits.map((z, k) => (asked[0][k]!.of === of ? z.map(() => Number.NaN) : z));
    return { ...answer, logits };
  },
  logits: async (asked: Parameters<Recording['logits']>[0]) =>
    (await oracle.logits(asked)).map((z, k) => (asked[k]!.of === of ? z.map(() => Number.NaN) : z)),
  labels: async (asked: Parameters<Recording['labels']>[0]) =>
    (await oracle.labels(asked)).map((label, k) => (asked[k]!.of === of ? -1 : label)),
});

const bounded = queried.flatMap((attack) => attack.norms.map((norm) => [attack.name, norm, attack] as const));

describe.each(bounded)('%s in %s', (_, norm, attack) => {
  it('proposes nothing on a model that cannot be attacked, at no more than the cost it announced (D3)', async () => {
    const oracle = linearOracle({ x: [new Array(12).fill(0), new Array(12).fill(0)] }, [1, 0]);
    const x = new Float32Array(12);
    const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(spec(attack, [12]), { norm, eps: 0.2 }) }]);
    const [outcome] = await attack.run(job, briskOptions(attack));
    expect(outcome!.status).toBe('failure');
    expect(outcome!.inputs).toBeUndefined();
    const { forwards, backwards } = oracle.counts(0);
    const announced = attack.passes(briskOptions(attack), { classes: 2, norms: [norm], elements: 12 });
    expect(forwards).toBeLessThanOrEqual(announced.forwards);
    expect(backwards).toBeLessThanOrEqual(announced.backwards);
  });

  it('calls success what the model confirms (D20)', async () => {
    const { oracle, run, all } = scene(attack, norm, { eps: 2 * budgets[norm] });
    const { outcomes, labels } = await run(all);
    const found = outcomes.flatMap(({ status, inputs }, of) => (status === 'success' ? [{ of, inputs: inputs! }] : []));
    expect(found.length).toBeGreaterThan(0);
    const predictions = await oracle.labels(found);
    predictions.forEach((prediction, k) => {
      expect(reached(untargeted(labels[found[k]!.of]!), prediction)).toBe(true);
    });
  });

  // scores and labels say nothing of gradients
  const broken = [
    ...(attack.needs === 'gradient' ? [['gradient', nanGradient, /gradient of input "x" is not finite at step 1/] as const] : []),
    ['logits', nanLogits, /logits are not finite/] as const,
  ];
  it.each(broken)(
    'a %s that is not finite makes that sample invalid, with the reason, and touches no other',
    async (__, broken, reason) => {
      const least = norm === 'l0' ? 1 : 1e-4;
      for (const eps of [budgets[norm], least]) {
        const { batch, oracle, threat } = scene(attack, norm, { eps });
        const goals = (await oracle.labels(batch.map(({ inputs }, of) => ({ of, inputs })))).map(untargeted);
        const threats = batch.map(() => ({ x: threat }));
        const sound = await attack.run(jobOf(oracle, batch, goals, threats), briskOptions(attack));
        const outcomes = await attack.run(jobOf(broken(oracle, 2), batch, goals, threats), briskOptions(attack));
        expect(outcomes.filter((_, k) => k !== 2)).toEqual(sound.filter((_, k) => k !== 2));
        if (eps === least) expect(outcomes[2]).toMatchObject({ status: 'invalid', reason: expect.stringMatching(reason) });
      }
    },
  );
});
