/** @file Which axis holds the channels of potentials, where steps were cut out of a value that holds all of them. */
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { findArchitecture } from '../../../src/kit/nn/architectures/registry.ts';
import { exportModel } from '../../../src/kit/nn/export/export.ts';
import { asTrained, facts } from '../../kit/nn/export/trained.ts';

const runtime = createRuntime(ort as never, { threads: 1 });

const clip: InputSpec = {
  shape: [3, 2, 8, 8],
  layout: 'NTCHW',
  dtype: 'float32',
  modality: 'events',
  unit: 'event',
  role: 'attacked',
  domain: 'binary',
  bounds: { lower: 0, upper: 1 },
  storage: 'binary',
};

it('a step that keeps its time axis of size 1 has its channels behind it', async () => {
  const family = findArchitecture('spiking-cnn');
  const architecture = family.build(
    { inputs: { x: clip }, classes: ['a', 'b', 'c'] },
    { ...family.defaults, width: 4, norm: 'batch' },
  );
  const { onnx } = await exportModel(asTrained(architecture), architecture, {
    runtime,
    provenance: facts({ name: 'spiking-cnn' }),
  });
  const { spiking } = await openModel(readModel(onnx), { name: 'net', sha256: '', execute: runtime.execute });
  expect(spiking!.layers.map(({ axes, space }) => [axes.channel, space])).toEqual([
    [2, 64],
    [2, 16],
    [2, 4],
    [2, 1],
  ]);
});
