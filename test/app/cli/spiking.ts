/** @file A spiking classifier of the sequences that commands are tried on. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { type LayerOf, networkGraph } from '../../oracles/spiking/graph.ts';
import { classes, writeSequences } from './sequences.ts';

const neuron = { tau: 2, decayInput: false, vThreshold: 1, vReset: 0, detachReset: false };

/** Two neurons that fire when the first channel is high, two when it is low; neither says the class between. */
const gains = [1.2, 0.9, -1.2, -0.9];
const layers: readonly LayerOf[] = [
  { op: 'flatten' },
  {
    op: 'linear',
    weight: { shape: [4, 32], data: gains.flatMap((gain) => Array.from({ length: 32 }, (_, i) => (i < 16 ? gain / 16 : 0))) },
    bias: null,
  },
  { op: 'lif', neuron },
  { op: 'linear', weight: { shape: [3, 4], data: [0, 0, 2, 2, 0, 0, 0, 0, 2, 2, 0, 0] }, bias: { shape: [3], data: [0, 1, 0] } },
];

/** Writes model.onnx, shown each sequence four times, with its manifest, and the data: the folder seq. */
export async function writeSpikingModel(folder: string): Promise<void> {
  const { graph } = networkGraph({ encoding: 'direct', T: 4, inputShape: [1, 2, 16], layers });
  await writeFile(join(folder, 'model.onnx'), writeModel(graph));
  await writeFile(
    join(folder, 'model.yaml'),
    `inputs: { x: { layout: NCT, modality: physiology, bounds: [-4, 4] } }\nclasses: [${classes.join(', ')}]\n`,
  );
  await writeSequences(join(folder, 'seq'));
}
