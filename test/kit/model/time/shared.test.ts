/** Probes of a sample that begin alike share the work up to where they part: the answers are the same bits, and fewer steps are run. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { createOracle, QueryBudgetExceeded } from '../../../../src/kit/model/make-oracle.ts';
import type { InputSpec } from '../../../../src/kit/model/model.ts';
import { openModel } from '../../../../src/kit/model/open.ts';
import type { Probe } from '../../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../../src/kit/model/sessions.ts';
import { sliceStarts } from '../../../../src/kit/model/time/slice-session.ts';
import { buildNetwork } from '../../../../src/kit/nn/architecture.ts';
import { findArchitecture } from '../../../../src/kit/nn/architectures/registry.ts';
import { clip, frame, layoutOf, type SpikingNet, spikingNet } from '../../../core/onnx/passes/time/nets.ts';
import { features, perceptron } from '../toys.ts';

const runtime = createRuntime(ort, { threads: 1 });

const events = (steps: number, layout = 'NTCHW', shape: readonly number[] = [steps, ...frame]): InputSpec => ({
  shape,
  layout,
  dtype: 'float32',
  modality: 'events',
  unit: 'event',
  role: 'attacked',
  domain: 'binary',
  bounds: { lower: 0, upper: 1 },
  storage: 'binary',
});

async function sessionsOf(graph: Graph, spec: InputSpec) {
  const { shape, layout, modality, domain, storage } = spec;
  const manifest = { inputs: { x: { shape, layout, modality, domain, storage, bounds: { lower: 0, upper: 1 } } } };
  return openSessions(await openModel(graph, { name: 'net', sha256: '', execute: runtime.execute, manifest }), runtime);
}

/** Copies of a clip with one event flipped, at the given steps. */
const flips = (base: Float32Array, steps: number, at: readonly number[], of = 0): Probe[] =>
  at.map((t, k) => {
    const x = base.slice();
    const size = base.length / steps;
    const i = t * size + Math.floor(stream('flip', k).uniform() * size);
    x[i] = 1 - x[i]!;
    return { of, inputs: { x } };
  });

const nets = fc.record({
  form: fc.constantFrom('folded', 'unrolled', 'time first', 'recurrent'),
  steps: fc.integer({ min: 2, max: 12 }),
  width: fc.integer({ min: 1, max: 6 }),
  reset: fc.constantFrom('hard', 'soft'),
}) satisfies fc.Arbitrary<SpikingNet>;

describe('shared steps', () => {
  it('give the bits of whole passes for any net, any flips, any batch', async () => {
    const ats = fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 4, maxLength: 20 });
    let isShared = 0;
    await fc.assert(
      fc.asyncProperty(nets, ats, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (net, at, maxBatch, two) => {
        const sessions = await sessionsOf(spikingNet(net), events(net.steps, layoutOf(net)));
        const clips = [clip('a', net.steps), clip('b', net.steps)];
        const probes = at.flatMap((t, k) => flips(clips[two ? k % 2 : 0]!, net.steps, [t % net.steps], two ? k % 2 : 0));
        const shared = createOracle(sessions, { maxBatch });
        const whole = createOracle(sessions, { maxBatch, shareSteps: false });
        expect(await shared.logits(probes)).toEqual(await whole.logits(probes));
        const { steps, ...counts } = shared.counts(0);
        expect(counts).toEqual(whole.counts(0));
        if (steps !== undefined) isShared++;
        expect(steps ?? 0).toBeLessThanOrEqual(counts.forwards * net.steps);
        await sessions.release();
      }),
      { numRuns: 10, seed: 3 },
    );
    expect(isShared).toBeGreaterThan(4);
  });

  it('answer for a spiking-cnn as whole passes do, and count what was run', async () => {
    const { build, defaults } = findArchitecture('spiking-cnn');
    const spec = events(10, 'NTCHW', [10, 2, 12, 12]);
    const made = build({ inputs: { x: spec }, classes: ['a', 'b', 'c'] }, { ...defaults, width: 4, threshold: 0.2 });
    const { graph } = buildNetwork(made, { mode: 'inference', seed: 0 });
    // weights large enough for all layers to fire
    for (const { data, dims } of graph.initializers.values())
      if (dims.length === 4)
        (data as Float32Array).forEach((v, i, all) => {
          all[i] = 6 * v;
        });
    const sessions = await sessionsOf(graph, spec);
    const random = stream('export');
    const base = Float32Array.from({ length: 10 * 288 }, () => (random.uniform() < 0.4 ? 1 : 0));
    const probes = flips(
      base,
      10,
      Array.from({ length: 20 }, (_, k) => k % 10),
    );
    const [shared, whole] = [
      createOracle(sessions, { maxBatch: 64 }),
      createOracle(sessions, { maxBatch: 64, shareSteps: false }),
    ];
    const answers = await shared.logits(probes);
    expect(answers).toEqual(await whole.logits(probes));
    expect(new Set(answers.map(String)).size).toBeGreaterThan(3);
    // slices of two steps: four flips in each, which go on apart; up to there all that begin like the clip are one
    const rows = [4 + 1, 8 + 1, 12 + 1, 16 + 1, 20];
    expect(shared.counts(0)).toEqual({ forwards: 20, backwards: 0, queries: 20, steps: 2 * rows.reduce((a, b) => a + b) });
    expect(whole.counts(0)).toEqual({ forwards: 20, backwards: 0, queries: 20 });
    await sessions.release();
  });

  it('count whole passes in full, before and after', async () => {
    const net: SpikingNet = { form: 'folded', steps: 5, width: 2, reset: 'hard' };
    const sessions = await sessionsOf(spikingNet(net), events(5));
    const oracle = createOracle(sessions, { maxBatch: 8, queryBudget: 6 });
    const base = clip('a', 5);
    await oracle.logits([{ of: 0, inputs: { x: base } }]);
    expect(oracle.counts(0)).toEqual({ forwards: 1, backwards: 0, queries: 1 });
    await oracle.logits(flips(base, 5, [4, 4, 4, 4]));
    expect(oracle.counts(0)).toEqual({ forwards: 5, backwards: 0, queries: 5, steps: 5 + 4 + 4 });
    await oracle.labels([{ of: 0, inputs: { x: base } }]);
    expect(oracle.counts(0)).toEqual({ forwards: 6, backwards: 0, queries: 6, steps: 18 });
    await expect(oracle.logits(flips(base, 5, [4, 4, 4, 4]))).rejects.toThrow(QueryBudgetExceeded);
    await sessions.release();
  });

  it('leave alone what gains nothing: differences from the first step on, one probe per sample, models without time', async () => {
    const net: SpikingNet = { form: 'folded', steps: 5, width: 2, reset: 'hard' };
    const sessions = await sessionsOf(spikingNet(net), events(5));
    const base = clip('a', 5);
    const early = createOracle(sessions, { maxBatch: 8 });
    await early.logits(flips(base, 5, [0, 0, 0, 0, 0, 0]));
    await early.logits([1, 2, 3, 4].map((of) => ({ of, inputs: { x: base } })));
    expect(early.counts(0).steps).toBeUndefined();
    expect(early.counts(1).steps).toBeUndefined();
    await sessions.release();
    const { shape, layout } = features([5]);
    const still = openSessions(
      await openModel(perceptron(), {
        name: 'still',
        sha256: '',
        execute: runtime.execute,
        manifest: { inputs: { x: { shape, layout } } },
      }),
      runtime,
    );
    expect(await still.forwardSliced!()).toEqual({ reason: 'no input has a time axis' });
  });

  it('cut evenly, the longer slices first', () => {
    expect(sliceStarts(10)).toEqual([0, 2, 4, 6, 8]);
    expect(sliceStarts(4)).toEqual([0, 1, 2, 3]);
    expect(sliceStarts(12)).toEqual([0, 3, 5, 8, 10]);
  });
});
