import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Model } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { chooseSpikes, substitutesFor } from '../../../src/kit/spiking/choose.ts';
import { casesOf } from '../../oracles/spiking/cases.ts';
import { networkGraph } from '../../oracles/spiking/graph.ts';

const runtime = createRuntime(ort);
const fixture = casesOf('network').find(({ name }) => name === 'network-mlp-b4')!;
const [steps, , ...shape] = fixture.inputShape as [number, number, ...number[]];

const opened: Promise<Model> = openModel(networkGraph(fixture).graph, {
  name: 'mlp',
  sha256: '',
  execute: runtime.execute,
  manifest: { inputs: { x: { layout: 'TNCHW'.slice(0, shape.length + 2), shape: [steps, ...shape] } } },
});

describe('rate-based stand-ins', () => {
  it.each(['bptr', 'cba', 'rga', 'hart'])('%s gives a gradient through a recognised net, whatever the batch', async (name) => {
    const { model, spikes } = chooseSpikes(await opened, name);
    const sessions = openSessions(model, runtime, substitutesFor(spikes!));
    const oracle = createOracle(sessions, { maxBatch: 8 });
    const perSample = steps * shape.reduce((a, b) => a * b, 1);
    const input = Object.keys(model.inputs)[0]!;
    const inputs = (i: number) => ({ [input]: Float32Array.from({ length: perSample }, (_, k) => ((k * 7 + i * 3) % 5) / 2) });
    const probes = [0, 1, 2].map((of) => ({ of, inputs: inputs(of) }));
    const losses = probes.map(({ of }) => ({ label: of % model.classes.length, ce: 1 }));
    const together = await oracle.gradient(probes, losses);
    expect(together.gradient.some((g) => g[input]!.some((v) => v !== 0))).toBe(true);
    const alone = await oracle.gradient([probes[1]!], [losses[1]!]);
    expect(alone.gradient[0]![input]).toEqual(together.gradient[1]![input]);
    const { substitutes, cuts } = await sessions.gradient();
    expect(substitutes.length).toBeGreaterThan(0);
    expect(cuts).toEqual([]);
    await sessions.release();
  });

  it('refuse values no rule is written for', async () => {
    const model = await opened;
    expect(() => chooseSpikes(model, { use: 'rga', retention: 2 })).toThrow('rga: retention is 2, and must lie in 0..1');
    expect(() => chooseSpikes(model, { use: 'cba', activation: 'elu' })).toThrow(/activation/);
  });
});
