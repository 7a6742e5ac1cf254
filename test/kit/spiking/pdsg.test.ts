/** @file PDSG as a choice: whose potentials count, what that does to batches, and what options mean. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Inputs, Model } from '../../../src/kit/model/model.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { chooseSpikes, type SpikesReference, substitutesFor } from '../../../src/kit/spiking/choose.ts';
import { referenceStatistics } from '../../../src/kit/spiking/reference.ts';
import { casesOf, type NetworkCase } from '../../oracles/spiking/cases.ts';
import { samplesOf, spikingModel } from '../../oracles/spiking/model.ts';

const runtime = createRuntime(ort);
const named = (name: string): NetworkCase => casesOf('network').find((c) => c.name === name)!;
const conv = named('network-convbn-direct-b4');
const mlp = named('network-mlp-b4');

const asSamples = (inputs: readonly Inputs[]) => inputs.map((x, i) => ({ id: `${i}`, group: `${i}`, inputs: x }));

/** Cross-entropy gradients of the samples, all in one run or in runs of `maxBatch`. */
async function gradients(
  model: Model,
  spikes: SpikesReference,
  samples: readonly { readonly inputs: Inputs; readonly label: number }[],
  { maxBatch = 64, clean = [] }: { maxBatch?: number; clean?: readonly Inputs[] } = {},
): Promise<{ gradients: Float32Array[]; labels: string[] }> {
  const chosen = chooseSpikes(model, spikes);
  const known =
    clean.length === 0 ? undefined : await referenceStatistics(model, chosen.spikes!.spiking, asSamples(clean), runtime);
  const sessions = openSessions(chosen.model, runtime, substitutesFor(chosen.spikes!, known));
  const oracle = createOracle(sessions, { maxBatch });
  const { gradient } = await oracle.gradient(
    samples.map(({ inputs }, of) => ({ of, inputs })),
    samples.map(({ label }) => ({ label, ce: 1 })),
  );
  const labels = (await sessions.gradient()).substitutes.map((s) => s.label);
  await sessions.release();
  return { gradients: gradient.map((g) => g.x!), labels: [...new Set(labels)] };
}

const labelled = (c: NetworkCase) => samplesOf(c).map((inputs, b) => ({ inputs, label: c.labels[b]! }));

/** Those of the fixture, per sample: its loss is the mean over the batch. */
const golden = (c: NetworkCase): Float32Array[] =>
  samplesOf({ ...c, input: c.expected.gradInput.map((g) => g * c.B) }).map(({ x }) => x!);

function expectEqual(found: readonly Float32Array[], expected: readonly Float32Array[]): void {
  const scale = Math.max(...expected.flatMap((g) => [...g].map(Math.abs)));
  for (const [b, g] of found.entries())
    for (const [i, v] of g.entries()) expect(Math.abs(v - expected[b]![i]!), `${b}, ${i}`).toBeLessThan(1e-5 * scale + 1e-6);
}

describe.each([conv, mlp])('$name', (c) => {
  it('batch statistics give the golden gradient', async () => {
    const { gradients: found, labels } = await gradients(
      await spikingModel(c, runtime),
      { use: 'pdsg', statistics: 'batch' },
      labelled(c),
    );
    expectEqual(found, golden(c));
    expect(labels).toEqual(['PDSG (batch statistics, shift 0.5)']);
  });

  it('a sample with the other three as its reference set has the statistics of the batch of four', async () => {
    const model = await spikingModel(c, runtime);
    const all = labelled(c);
    for (const [b, one] of all.entries()) {
      const clean = all.filter((_, i) => i !== b).map(({ inputs }) => inputs);
      const { gradients: found } = await gradients(model, { use: 'pdsg', statistics: 'reference-set' }, [one], { clean });
      expectEqual(found, [golden(c)[b]!]);
    }
  });

  it.each([
    { per: 'layer', over: 'cumulative' },
    { per: 'channel', over: 'current' },
    { per: 'layer', over: 'current' },
  ])('and so have those per $per over $over steps', async (options) => {
    const model = await spikingModel(c, runtime);
    const all = labelled(c);
    const batch = await gradients(model, { use: 'pdsg', statistics: 'batch', ...options }, all);
    const [one, ...others] = all;
    const clean = others.map(({ inputs }) => inputs);
    const { gradients: found } = await gradients(model, { use: 'pdsg', statistics: 'reference-set', ...options }, [one!], {
      clean,
    });
    expectEqual(found, [batch.gradients[0]!]);
  });

  it('statistics of the sample are another gradient than those of the batch', async () => {
    const { gradients: found } = await gradients(
      await spikingModel(c, runtime),
      { use: 'pdsg', statistics: 'sample' },
      labelled(c),
    );
    expect(() => expectEqual(found, golden(c))).toThrow();
  });

  it.each([
    { use: 'pdsg', statistics: 'sample' },
    { use: 'pdsg', statistics: 'sample', per: 'layer', over: 'current' },
    { use: 'pdsg', statistics: 'reference-set' },
    { use: 'atan', width: 0.5 },
  ])('$use $statistics $per: the bits of a gradient do not depend on its batch mates', async (spikes) => {
    const model = await spikingModel(c, runtime);
    const samples = [...labelled(c), ...labelled(c).reverse(), ...labelled(c).slice(1)];
    const clean = samplesOf(c).slice(0, 3);
    const whole = await gradients(model, spikes, samples, { clean });
    for (const maxBatch of [1, 2, 3, 7]) {
      const parts = await gradients(model, spikes, samples, { maxBatch, clean });
      expect(parts.gradients, `runs of ${maxBatch}`).toEqual(whole.gradients);
    }
  });
});

describe('statistics: auto', () => {
  it('is the sample where a layer has space, and the reference set where it has none', async () => {
    const clean = samplesOf(mlp);
    const plain = chooseSpikes(await spikingModel(mlp, runtime), 'pdsg').spikes!;
    expect([plain.wantsReference, plain.samples]).toEqual([true, 32]);
    expect((await gradients(await spikingModel(mlp, runtime), 'pdsg', labelled(mlp), { clean })).labels).toEqual([
      'PDSG (statistics of the sample and 4 reference samples, shift 0.5)',
    ]);
    const spatial = chooseSpikes(await spikingModel(conv, runtime), 'pdsg').spikes!;
    expect(spatial.spiking.layers.map(({ space }) => space)).toEqual([16, 4]);
    expect([spatial.wantsReference, spatial.samples]).toEqual([false, 0]);
  });

  it('without clean samples it is the sample everywhere, and says so; stated, that is refused', async () => {
    const model = await spikingModel(mlp, runtime);
    const { gradients: found, labels } = await gradients(model, 'pdsg', labelled(mlp));
    expect(labels).toEqual(['PDSG (sample statistics for want of a reference set, shift 0.5)']);
    expect(found.flatMap((g) => [...g]).every(Number.isFinite)).toBe(true);
    await expect(gradients(model, { use: 'pdsg', statistics: 'reference-set' }, labelled(mlp))).rejects.toThrow(
      'there are no clean samples of layer "lif0" here',
    );
  });
});

describe('what a model is after the choice', () => {
  it('nothing said: pdsg-narrow, and that is said', async () => {
    const { model, spikes } = chooseSpikes(await spikingModel(mlp, runtime), undefined);
    expect(spikes?.gradient.name).toBe('pdsg-narrow');
    expect(model.inferred).toEqual([
      expect.stringMatching(/^spikes: the model has 2 spiking layers .*: pdsg-narrow with its defaults/),
    ]);
    expect(model.coupling).toBe('none');
  });
  it('pdsg-narrow is pdsg with another density, and not the published one', async () => {
    const model = await spikingModel(mlp, runtime);
    const narrow = await gradients(model, 'pdsg-narrow', labelled(mlp));
    const spelt = await gradients(model, { use: 'pdsg', width: 0.2, shift: 0, tails: 'cauchy' }, labelled(mlp));
    expect(narrow).toEqual(spelt);
    expect(narrow.gradients).not.toEqual((await gradients(model, 'pdsg', labelled(mlp))).gradients);
  });
  it('batch statistics couple its batch', async () => {
    const { model } = chooseSpikes(await spikingModel(mlp, runtime), { use: 'pdsg', statistics: 'batch' });
    expect(model.coupling).toBe('batch');
    expect(model.inferred).toEqual([expect.stringContaining('the batch is coupled')]);
  });
  it('none leaves every path cut, which the oracle refuses as ever', async () => {
    const chosen = chooseSpikes(await spikingModel(mlp, runtime), 'none');
    expect(chosen.spikes).toBeUndefined();
    const oracle = createOracle(openSessions(chosen.model, runtime), { maxBatch: 4 });
    const [one] = labelled(mlp);
    await expect(oracle.gradient([{ of: 0, inputs: one!.inputs }], [{ label: 0, ce: 1 }])).rejects.toThrow('every path is cut');
  });
  it.each([
    ['pdgs', 'there is no surrogate of spikes "pdgs"'],
    [{ use: 'atan', alhpa: 2 }, 'atan has no option "alhpa"'],
    [{ use: 'atan', width: 0 }, 'atan: width is 0, and must be above 0'],
    [{ use: 'pdsg', statistics: 'bacth' }, 'pdsg.statistics is "bacth"'],
    [{ use: 'triangle', reset: 'stop' }, 'triangle.reset is "stop"'],
    [{ use: 'pdsg', samples: 1.5 }, 'pdsg: samples is 1.5, and must be a whole number'],
    [{ use: 'none', alpha: 2 }, 'spikes: none has no option "alpha"'],
  ] as const)('%j is refused: %s', async (spikes, message) => {
    const model = await spikingModel(mlp, runtime);
    expect(() => chooseSpikes(model, spikes)).toThrow(message);
  });
  it('a choice for a model without spikes is refused, silence is not', async () => {
    const { spiking: _, ...model } = await spikingModel(mlp, runtime);
    expect(() => chooseSpikes(model, 'atan')).toThrow('has none that were recognised');
    expect(chooseSpikes(model, undefined)).toEqual({ model });
    expect(chooseSpikes(model, 'none')).toEqual({ model });
  });
});
