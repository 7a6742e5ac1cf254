/** @file What must hold of every attack in the registry for two named inputs at once, and for inputs that hold nothing but zeros and ones. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { reached } from '../../../src/kit/losses/loss.ts';
import type { Options } from '../../../src/kit/options.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { type Attack, flips, onlyFlips } from '../../../src/methods/attacks/attack.ts';
import { attacks } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { briskOptions } from './brisk.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const cases = Object.values(attacks)
  .filter(({ parts }) => parts === undefined)
  .flatMap((attack) => attack.norms.map((norm) => [attack.name, norm, attack] as const));

const dual: Readonly<Record<Norm, (w: readonly number[]) => number>> = {
  linf: (w) => w.reduce((sum, v) => sum + Math.abs(v), 0),
  l2: (w) => Math.hypot(...w),
  l1: (w) => Math.max(...w.map(Math.abs)),
  l0: (w) => Math.max(...w.map(Math.abs)),
};

const binary = { domain: 'binary', storage: 'binary' } as const;

/** What the label leads by. */
const lead = 1;
/** The part of the lead that one input alone can take away: both are needed. */
const alone = 0.8;

/**
 * Two classes over an image, a recording in another unit, and an input that is not attacked. There are no bounds, but in l0, where one element within
 * them can take away most of what is needed. `flipping`: both inputs hold nothing but those bounds.
 */
function pair(norm: Norm, flipping = false) {
  const row = (name: string, n: number, unit: number) => randomWeights(1, n, 'pair', name)[0]!.map((w) => w / unit);
  const weights = { image: row('image', 12, 1), recording: row('recording', 8, 100), given: row('given', 3, 1) };
  const batch = Array.from({ length: 3 }, (_, k) => {
    const random = stream('pair', k);
    const draw = (n: number, unit: number) => Float32Array.from({ length: n }, () => unit * (random.uniform() - 0.5));
    const given = { image: draw(12, 0.1), recording: draw(8, 10), given: draw(3, 1) };
    if (flipping)
      for (const name of ['image', 'recording'] as const) {
        const far = Math.fround((alone * lead) / dual[norm](weights[name]));
        given[name] = given[name].map((value) => (value < 0 ? -far : far));
      }
    return sampleOf(`s${k}`, given);
  });
  const threatOf = (name: 'image' | 'recording', shape: readonly number[]) => {
    const most = dual[norm](weights[name]);
    const far = (alone * lead) / most;
    return norm === 'l0'
      ? lpThreat(specOf(shape, { bounds: { lower: -far, upper: far }, ...(flipping ? binary : {}) }), { norm, eps: 3 })
      : lpThreat(specOf(shape, { bounds: 'unbounded' }), { norm, eps: far });
  };
  // every sample leads by the same: the input that is not attacked makes up for how they differ
  const balanced = batch.map(({ id, inputs }) => {
    const now = (['image', 'recording'] as const).reduce(
      (sum, name) => sum + weights[name].reduce((s, w, i) => s + w * inputs[name]![i]!, 0),
      0,
    );
    const given = inputs.given!.slice();
    given[0] = (lead - now - weights.given[1]! * given[1]! - weights.given[2]! * given[2]!) / weights.given[0]!;
    return sampleOf(id, { ...inputs, given });
  });
  return {
    weights,
    batch: balanced,
    threats: { image: threatOf('image', [3, 2, 2]), recording: threatOf('recording', [4, 2]) },
    oracle: linearOracle(Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, [w, w.map(() => 0)]])), [0, 0]),
  };
}

/** The smallest joint change, in units of the first input: the budgets weigh the other one. */
function jointOptimum(norm: Norm, { weights, threats }: ReturnType<typeof pair>): number {
  const weight = threats.recording.eps / threats.image.eps;
  return lead / dual[norm]([...weights.image, ...weights.recording.map((w) => w * weight)]);
}

describe.each(cases)('%s in %s on two named inputs', (_, norm, attack) => {
  const run = (scene: ReturnType<typeof pair>, which: readonly number[], options: Options = {}) =>
    (attack as Attack).run(
      jobOf(
        scene.oracle,
        which.map((k) => scene.batch[k]!),
        which.map(() => untargeted(0)),
        which.map(() => scene.threats),
      ),
      { ...briskOptions(attack), ...options },
    );

  it('both change, each within its own budget where that is given, and what is not attacked never does', async () => {
    const scene = pair(norm, onlyFlips(attack));
    const { oracle, batch, threats } = scene;
    const outcomes = await run(scene, [0, 1, 2]);
    const asked = oracle.probes.length;
    expect(asked).toBe(outcomes.reduce((sum, _, k) => sum + oracle.counts(k).queries, 0));
    const delta = (of: number, name: 'image' | 'recording', x: Float32Array) =>
      x.map((value, i) => value - batch[of]!.inputs[name]![i]!);
    const points = [...oracle.probes, ...outcomes.flatMap(({ inputs }, of) => (inputs ? [{ of, inputs }] : []))];
    // the smallest change in l1 and l0 may be one element of one input
    const spreads = attack.kind === 'bounded' || norm === 'linf' || norm === 'l2';
    for (const name of ['image', 'recording'] as const) {
      if (spreads) expect(points.some(({ of, inputs }) => delta(of, name, inputs[name]!).some((d) => d !== 0))).toBe(true);
      for (const { of, inputs } of attack.kind === 'bounded' ? points : []) {
        const scouting = norm === 'l1' && attack.name === 'apgd' ? 3 : 1;
        expect(threats[name].size(delta(of, name, inputs[name]!)) / threats[name].eps).toBeLessThanOrEqual(scouting * (1 + 1e-4));
      }
    }
    for (const { of, inputs } of oracle.probes) expect(inputs.given).toEqual(batch[of]!.inputs.given);
    for (const [of, { status, inputs }] of outcomes.entries()) {
      if (attack.needs === 'gradient') expect(status).toBe('success');
      if (status !== 'success') continue;
      expect(Object.keys(inputs!).filter((name) => name !== 'given')).toEqual(['image', 'recording']);
      if (attack.needs === 'none') continue;
      const [label] = await oracle.labels([{ of, inputs: { ...batch[of]!.inputs, ...inputs } }]);
      expect(reached(untargeted(0), label!)).toBe(true);
    }
  });

  it.skipIf(attack.kind !== 'minimal' || attack.needs !== 'gradient' || norm === 'l0')(
    'finds a change near the smallest joint one',
    async () => {
      const scene = pair(norm, onlyFlips(attack));
      const { weights, batch, threats } = scene;
      const thorough = 'searches' in attack.defaults ? { searches: 9, steps: 200 } : {};
      const optimum = jointOptimum(norm, scene);
      const weight = threats.recording.eps / threats.image.eps;
      for (const [of, { inputs }] of (await run(scene, [0, 1, 2], thorough)).entries()) {
        const u = [
          ...Array.from(inputs!.image!, (value, i) => value - batch[of]!.inputs.image![i]!),
          ...Array.from(inputs!.recording!, (value, i) => (value - batch[of]!.inputs.recording![i]!) / weight),
        ].map(Math.abs);
        expect(u).toHaveLength(weights.image.length + weights.recording.length);
        const size = norm === 'l2' ? Math.hypot(...u) : norm === 'l1' ? u.reduce((a, b) => a + b, 0) : Math.max(...u);
        expect(size / optimum).toBeGreaterThan(1 - 1e-4);
        expect(size / optimum).toBeLessThan(1.25);
      }
    },
  );

  it('gives the same bits for any split and order of the batch (D18)', async () => {
    const all = await run(pair(norm, onlyFlips(attack)), [0, 1, 2]);
    expect(await run(pair(norm, onlyFlips(attack)), [2, 0])).toEqual([all[2], all[0]]);
  });
});

const budgets: Readonly<Record<Norm, number>> = { linf: 1, l2: 2, l1: 4, l0: 4 };

/** Samples of zeros and ones on a linear model, some of whose elements a mask holds. */
async function bits(attack: Attack, norm: Norm, domain: 'continuous' | 'binary') {
  const oracle = linearOracle({ x: randomWeights(3, 12, 'bits') }, [0, 0, 0]);
  const batch = Array.from({ length: 6 }, (_, k) => {
    const random = stream('bits', k);
    return sampleOf(`s${k}`, { x: Float32Array.from({ length: 12 }, () => Math.round(random.uniform())) });
  });
  const labels = await oracle.labels(batch.map(({ inputs }, of) => ({ of, inputs })));
  oracle.probes.length = 0;
  const spec = specOf([3, 2, 2], { domain, storage: domain === 'binary' ? 'binary' : 'float32' });
  const mask = Float32Array.from({ length: 12 }, (_, i) => (i === 5 ? 0 : 1));
  const threat = lpThreat(spec, { norm, eps: budgets[norm], mask });
  const job = jobOf(
    oracle,
    batch,
    labels.map(untargeted),
    batch.map(() => ({ x: threat })),
  );
  const outcomes = await attack.run(job, briskOptions(attack));
  return { oracle, batch, labels, threat, outcomes };
}

describe.each(cases)('%s in %s on zeros and ones', (_, norm, attack) => {
  it('moves them, finds examples, and leaves what the mask holds (D5)', async () => {
    const { batch, labels, oracle, outcomes } = await bits(attack, norm, onlyFlips(attack) ? 'binary' : 'continuous');
    const found = outcomes.flatMap(({ status, inputs }, of) => (status === 'success' ? [{ of, inputs: inputs! }] : []));
    expect(found.length).toBeGreaterThan(0);
    if (attack.needs === 'gradient' && norm !== 'l0') expect(found).toHaveLength(6);
    for (const { of, inputs } of [...oracle.probes, ...found]) expect(inputs.x![5]).toBe(batch[of]!.inputs.x![5]);
    if (attack.needs === 'none') return;
    const said = await oracle.labels(found);
    for (const [k, { of }] of found.entries()) expect(said[k]).not.toBe(labels[of]);
  });

  it.skipIf(!flips(attack, norm))('proposes zeros and ones only where the input holds nothing else', async () => {
    const { batch, threat, outcomes } = await bits(attack, norm, 'binary');
    const found = outcomes.flatMap(({ status, inputs }, of) => (status === 'success' ? [{ of, x: inputs!.x! }] : []));
    expect(found.length).toBeGreaterThan(0);
    for (const { of, x } of found) {
      expect(x.every((value) => value === 0 || value === 1)).toBe(true);
      const delta = x.map((value, i) => value - batch[of]!.inputs.x![i]!);
      if (attack.kind === 'bounded') expect(threat.size(delta)).toBeLessThanOrEqual(budgets[norm] * (1 + 1e-6));
    }
  });
});
