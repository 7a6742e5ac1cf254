/** @file The whole nets whose gradients are proved against PyTorch, and the numbers they are proved on: everything follows from their names. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { reseed } from '../../../bench/models/reseed.ts';
import { resnet18 } from '../../../bench/models/resnet18.ts';
import { builtinGraph } from '../../../src/app/host/models.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { foldedOnly } from '../../../src/core/onnx/passes/prepare.ts';
import type { Execute } from '../../../src/core/onnx/passes/shapes.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

export interface Net {
  readonly name: string;
  /** Samples of one run. */
  readonly batch: number;
  /** The net as a file would hold it: BatchNormalization and whatever else `prepare` rewrites is still there. */
  graph(execute: Execute): Promise<Graph>;
  /** For classifiers with logits: also the gradient of the cross-entropy at these labels, one per sample. */
  readonly labels?: readonly number[];
}

const topologies = [
  'bvlc_alexnet',
  'densenet121',
  'inception_v1',
  'inception_v2',
  'resnet50',
  'shufflenet',
  'squeezenet',
  'vgg19',
  'zfnet512',
] as const;

/** With random weights these end in one class of probability 1 and a gradient of exactly 0: what is differentiated is the input of their Softmax. */
const saturated: readonly string[] = ['resnet50', 'shufflenet'];

const light = (topology: string): Net => ({
  name: topology,
  batch: 1,
  async graph(execute) {
    const file = new URL(`../../../bench/models/light/light_${topology}.onnx`, import.meta.url);
    const seeded = reseed(await foldedOnly(readModel(await readFile(file)), execute), 0);
    return saturated.includes(topology) ? beforeSoftmax(seeded) : seeded;
  },
});

/** The graph without the Softmax that makes its output. */
function beforeSoftmax(graph: Graph): Graph {
  const [output] = graph.outputs;
  const last = graph.nodes.at(-1)!;
  if (last.op !== 'Softmax' || last.outputs[0] !== output!.name) throw new Error(`the last node is a ${last.op}`);
  return { ...graph, nodes: graph.nodes.slice(0, -1), outputs: [{ ...output!, name: last.inputs[0]! }] };
}

const builtin = (name: string, labels?: readonly number[]): Net => ({
  name,
  batch: 2,
  graph: async () => (await builtinGraph(name)).graph,
  ...(labels === undefined ? {} : { labels }),
});

export const builtinNets: readonly Net[] = [
  builtin('face-api/expression', [1, 4]),
  builtin('face-api/tiny-face-detector'),
  builtin('face-api/landmarks68'),
  builtin('human/emotion', [0, 5]),
];

export const nets: readonly Net[] = [
  { name: 'resnet18', batch: 2, graph: async () => resnet18(112) },
  ...topologies.map(light),
  ...builtinNets,
];

/** Sizes of a value with its batch set. */
export const sizesOf = (dims: readonly (number | string | null)[], batch: number): number[] =>
  dims.map((d) => (typeof d === 'number' ? d : batch));

/** Sample `number` of a net's numbered inputs: uniform in [0, 1), 24 bits each, row-major, stream('gradients', net, 'input', number). */
export function inputSample(net: Net, number: number, dims: readonly number[]): Float32Array {
  const random = stream('gradients', net.name, 'input', number);
  return Float32Array.from({ length: sizeOf(dims) }, random.uniform);
}

/** Weights of the outputs in the scalar that is differentiated: uniform in [-1, 1), stream('gradients', net, 'cotangent'). */
export function cotangentOf(net: Net, dims: readonly number[]): Tensor<'float32'> {
  const random = stream('gradients', net.name, 'cotangent');
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => 2 * random.uniform() - 1),
    dims,
  );
}

/** The recorded positions of a gradient of n elements: one in each of 4096 equal stretches, or all where there are fewer. */
export function positionsOf(net: Net, n: number): number[] {
  const count = Math.min(n, 4096);
  const random = stream('gradients', net.name, 'positions');
  return Array.from({ length: count }, (_, k) => Math.floor(((k + random.uniform()) * n) / count));
}

/** The file of a net, and the sha256 that names it in the recorded numbers. */
export function fileOf(graph: Graph): { bytes: Uint8Array; sha256: string } {
  const bytes = writeModel(graph);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
