/** Every family of networks leaves training as a file that says the same, infers nothing and can be attacked. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import type { InputSpec } from '../../../../src/kit/model/model.ts';
import { openModel } from '../../../../src/kit/model/open.ts';
import { architectures, findArchitecture } from '../../../../src/kit/nn/architectures/registry.ts';
import { exportModel } from '../../../../src/kit/nn/export/export.ts';
import { readCard } from '../../../../src/kit/nn/export/read-card.ts';
import type { Options } from '../../../../src/kit/options.ts';
import { chooseSpikes, substitutesFor } from '../../../../src/kit/spiking/choose.ts';
import { fgsmOn } from './fgsm.ts';
import { asTrained, facts, image } from './trained.ts';

const runtime = createRuntime(ort as never, { threads: 1 });
const classes = ['calm', 'happy', 'tense'];

const sequence = (layout: string, shape: readonly number[]): InputSpec => ({
  shape,
  layout,
  dtype: 'float32',
  modality: 'features',
  unit: 'sigma',
  role: 'attacked',
  domain: 'continuous',
  bounds: 'unbounded',
  storage: 'float32',
});

const spectrogram: InputSpec = { ...sequence('NTF', [52, 26]), modality: 'audio', unit: 'sigma', storage: 'float32' };

/** A small task for each family, by name; a family without one fails the first test. */
const tasks: Readonly<Record<string, { readonly input: InputSpec; readonly options?: Options }>> = {
  'small-cnn': { input: image(1, 24), options: { width: 4 } },
  resnet18: { input: image(3, 32), options: { width: 8 } },
  'cnn-lstm': { input: spectrogram, options: { units: 8, blocks: 2 } },
  transformer: { input: sequence('NCT', [6, 24]), options: { width: 16, heads: 2 } },
  'spiking-cnn': { input: image(1, 16), options: { width: 8, threshold: 0.2, norm: 'batch' } },
  'spiking-resnet': { input: image(3, 16), options: { width: 8, blocks: '1,1', threshold: 0.2, norm: 'batch' } },
  'spiking-vgg': { input: image(3, 16), options: { plan: '8,A,16', threshold: 0.2, norm: 'batch' } },
  'sequence-cnn': { input: sequence('NCT', [4, 32]), options: { width: 4 } },
};

describe('exported families', () => {
  it('are all of the registry', () => {
    expect(Object.keys(architectures).filter((name) => tasks[name] === undefined)).toEqual([]);
  });

  it.each(Object.keys(tasks))('%s', async (name) => {
    const { input, options = {} } = tasks[name]!;
    const family = findArchitecture(name);
    const architecture = family.build({ inputs: { x: input }, classes }, { ...family.defaults, ...options });
    const { onnx, difference, card } = await exportModel(asTrained(architecture), architecture, {
      runtime,
      provenance: facts({ name }),
    });
    expect(difference.largest).toBeLessThanOrEqual(1e-5);
    const graph = readModel(onnx);
    expect([...graph.opsets.keys()]).toEqual(['']);
    const normalises = graph.nodes.some((n) => n.op === 'BatchNormalization');
    expect(normalises).toBe(architecture.surrogates !== undefined);
    expect(card.includes('normalisation as it was trained')).toBe(normalises);
    expect(card.includes('normalisation folded into the weights')).toBe(!normalises && name !== 'transformer');
    expect(readCard(card).provenance.exported.folded).toBe(!normalises && name !== 'transformer');
    expect(graph.inputs.map((v) => v.dims?.[0])).toEqual(['N']);
    const model = await openModel(graph, { name: 'file', sha256: '', execute: runtime.execute });
    expect(model.inferred).toEqual(
      name.startsWith('spiking-') ? [expect.stringMatching(/^spikes: \d spiking layers over 4 steps, .*hard reset$/)] : [],
    );
    expect(model).toMatchObject({ name, classes, coupling: 'none', inputs: { x: input } });
    expect(model.fixedBatch).toBeUndefined();
    const { spikes } = chooseSpikes(model, undefined);
    const standIns = spikes === undefined ? {} : substitutesFor(spikes);
    const { before, after, statuses } = await fgsmOn(model, runtime, 0.02, standIns);
    expect(after).toBeGreaterThan(before);
    expect(statuses).not.toContain('invalid');
  });
});
