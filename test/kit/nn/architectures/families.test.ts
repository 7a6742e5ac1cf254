import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { sizeOf } from '../../../../src/core/tensor/tensor.ts';
import { type Architecture, buildNetwork } from '../../../../src/kit/nn/architecture.ts';
import { findArchitecture } from '../../../../src/kit/nn/architectures/registry.ts';
import type { Options } from '../../../../src/kit/options.ts';
import { chirp } from '../layers/chirp.ts';
import { inputSpec } from './task.ts';

const runtime = createRuntime(ort, { threads: 1 });

function family(name: string, shape: readonly number[], layout: string, classes: number, options: Options = {}): Architecture {
  const { build, defaults } = findArchitecture(name);
  const labels = Array.from({ length: classes }, (_, i) => `class${i}`);
  return build({ inputs: { x: inputSpec(shape, layout) }, classes: labels }, { ...defaults, ...options });
}

/** One variant for every option of the spiking families that changes what is computed. */
const spikingVariants = (
  [
    ['spiking-resnet', [3, 16, 16], 'NCHW', { width: 4, blocks: '1,1' }],
    ['spiking-resnet', [3, 16, 16], 'NCHW', { width: 4, blocks: '1,2', residual: 'sew', readout: 'membrane-max', shrink: 2 }],
    ['spiking-resnet', [4, 2, 16, 16], 'NTCHW', { width: 4, blocks: '1', neuron: 'alif', readout: 'membrane-mean' }],
    ['spiking-vgg', [3, 16, 16], 'NCHW', { plan: '4,A,8', encoder: 'latency', neuron: 'if', readout: 'last' }],
    [
      'spiking-vgg',
      [3, 12, 16, 16],
      'NCTHW',
      { plan: 'A,4,A,8', threshold: 0.02, end: 'flatten', neuron: 'cuba', readout: 'count' },
    ],
  ] as const
).map(([name, shape, layout, options]): [string, Architecture] => [
  `${name} ${JSON.stringify(options)}`,
  family(name, shape, layout, 3, { threshold: 0.05, norm: 'batch', ...options }),
]);

const network = (architecture: Architecture) => {
  const made = buildNetwork(architecture, { mode: 'inference', seed: 0 });
  const dims = (name: string) => made.graph.initializers.get(name)!.dims;
  const count = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + sizeOf(dims(name)), 0);
  return { ...made, dims, trained: count(made.parameters), counted: count(made.statistics.keys()) };
};

interface Recorded {
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly statistics: readonly string[];
  readonly logits: readonly number[];
}

describe('resnet18', () => {
  const recorded = JSON.parse(readFileSync('test/fixtures/nn/resnet18.json', 'utf8')) as Recorded;
  const made = network(family('resnet18', [3, 48, 40], 'NCHW', 1000));

  it("has torchvision's parameters, in its order: 11 689 512 for 1000 classes", () => {
    const { parameters, statistics, dims, trained } = made;
    expect(parameters.map((name) => [name, dims(name)])).toEqual(Object.entries(recorded.parameters));
    expect([...statistics.keys()]).toEqual(recorded.statistics);
    expect(trained).toBe(11_689_512);
  });

  it("gives torchvision's logits for the same weights", async () => {
    const { graph, parameters, statistics, dims, logits } = made;
    const initializers = new Map(graph.initializers);
    for (const name of [...parameters, ...statistics.keys()]) {
      const [size, vector] = [dims(name), dims(name).length === 1];
      const positive = name.endsWith('running_var') || (vector && name.endsWith('weight'));
      initializers.set(name, chirp(name, size, vector ? 0.5 : Math.sqrt(3 / sizeOf(size.slice(1))), positive ? 1 : 0));
    }
    const results = await runtime.execute({ ...graph, initializers }, { x: chirp('x', [2, 3, 48, 40], 1) });
    const scores = results[logits]!.data as Float32Array;
    const found = [...scores.subarray(0, 10), ...scores.subarray(1000, 1010)];
    const distance = Math.hypot(...found.map((v, i) => v - recorded.logits[i]!)) / Math.hypot(...recorded.logits);
    expect(distance).toBeLessThan(5e-6);
  });

  it("the stem 'cifar' keeps the picture's size: 3x3, no maximum", () => {
    const { graph, dims } = network(family('resnet18', [1, 32, 32], 'NCHW', 10, { width: 8, stem: 'cifar' }));
    expect(dims('conv1.weight')).toEqual([8, 1, 3, 3]);
    expect(graph.nodes.some((n) => n.op === 'MaxPool')).toBe(false);
  });
});

describe('cnn-lstm', () => {
  const shapes: readonly [readonly number[], string][] = [
    [[261, 128, 1], 'NHWC'],
    [[1, 261, 128], 'NCHW'],
    [[261, 128], 'NTF'],
    [[1, 261, 128], 'NCTF'],
  ];

  it('has 3 960 389 numbers, 32 of them statistics, as in the table', () => {
    const { dims, trained, counted } = network(family('cnn-lstm', ...shapes[0]!, 5));
    expect([trained + counted, counted]).toEqual([3_960_389, 32]);
    expect(sizeOf(dims('conv1.weight')) + 16).toBe(416);
    expect(sizeOf(dims('conv2.weight')) + 32).toBe(4_640);
    expect(sizeOf(dims('conv3.weight')) + 64).toBe(18_496);
    expect(['W', 'R', 'B'].reduce((sum, name) => sum + sizeOf(dims(`lstm.${name}`)), 0)).toBe(3_934_208);
  });

  it.each(shapes)('reads the same spectrogram as %j, %s', async (shape, layout) => {
    const { graph, logits } = network(family('cnn-lstm', shape, layout, 5, { units: 4 }));
    const plain = network(family('cnn-lstm', [261, 128], 'NTF', 5, { units: 4 }));
    const x = (sizes: readonly number[]) => ({ x: chirp('x', [2, ...sizes], 1) });
    const expected = (await runtime.execute(plain.graph, x([261, 128])))[plain.logits]!;
    expect((await runtime.execute(graph, x(shape)))[logits]).toEqual(expected);
  });

  it('does not see the last 3 of every 29 frames and the last 2 bands', async () => {
    const { graph, logits } = network(family('cnn-lstm', [261, 128], 'NTF', 5, { units: 4 }));
    const x = chirp('x', [1, 261, 128], 1);
    const changed = (where: (frame: number, band: number) => boolean) => {
      const data = (x.data as Float32Array).map((v, i) => (where(Math.floor(i / 128) % 29, i % 128) ? v + 1 : v));
      return { ...x, data };
    };
    const of = async (input: typeof x) => [...((await runtime.execute(graph, { x: input }))[logits]!.data as Float32Array)];
    const before = await of(x);
    expect(await of(changed((frame, band) => frame >= 26 || band >= 126))).toEqual(before);
    expect(await of(changed((frame) => frame === 25))).not.toEqual(before);
    expect(await of(changed((_, band) => band === 125))).not.toEqual(before);
  });

  it('frames that do not make equal blocks are refused', () => {
    expect(() => family('cnn-lstm', [260, 128], 'NTF', 5)).toThrow(/cuts 260 frames of 128 bands into 9 equal blocks/);
    expect(() => family('cnn-lstm', [225, 128], 'NTF', 5)).toThrow(/at least 26 frames/);
    expect(network(family('cnn-lstm', [52, 26], 'NTF', 5, { blocks: 2, units: 4 })).trained).toBeGreaterThan(0);
  });
});

describe('every family', () => {
  // at first, without statistics of data, currents get weaker from layer to layer: the threshold is low so that spikes arrive at the end, and the
  // normalisation does not know it
  const tasks: readonly [string, Architecture][] = [
    ['small-cnn', family('small-cnn', [1, 24, 24], 'NCHW', 3)],
    ['sequence-cnn', family('sequence-cnn', [3, 40], 'NCT', 3)],
    ['resnet18', family('resnet18', [3, 32, 32], 'NCHW', 3, { width: 8, stem: 'cifar' })],
    ['cnn-lstm', family('cnn-lstm', [58, 30], 'NTF', 3, { blocks: 2, units: 8 })],
    ['transformer over time', family('transformer', [40, 3], 'NTC', 3, { norm: 'post', positions: 'sinusoidal' })],
    ['transformer over patches', family('transformer', [1, 18, 16], 'NCHW', 3)],
    ['spiking-cnn of pictures', family('spiking-cnn', [1, 16, 16], 'NCHW', 3, { threshold: 0.05, norm: 'batch' })],
    [
      'spiking-cnn of clips',
      family('spiking-cnn', [5, 2, 16, 16], 'NTCHW', 3, { reset: 'soft', threshold: 0.05, norm: 'batch' }),
    ],
    ...spikingVariants,
  ];

  it.each(tasks)('%s: the same seed gives the same weights, another seed others', (_, architecture) => {
    const weights = (seed: number) =>
      buildNetwork(architecture, { mode: 'inference', seed }).graph.initializers.get(network(architecture).parameters[0]!)!.data;
    expect(weights(4)).toEqual(weights(4));
    expect(weights(4)).not.toEqual(weights(5));
  });

  it.each(tasks)('%s: samples do not see each other in inference, and their logits differ', async (_, architecture) => {
    const { graph, logits } = network(architecture);
    const shape = architecture.inputs.x!.shape;
    const x = chirp('x', [3, ...shape], 1);
    const all = (await runtime.execute(graph, { x }))[logits]!;
    expect(all.dims).toEqual([3, 3]);
    const size = sizeOf(shape);
    for (const n of [0, 1, 2]) {
      const data = (x.data as Float32Array).slice(n * size, (n + 1) * size);
      const alone = (await runtime.execute(graph, { x: { ...x, data, dims: [1, ...shape] } }))[logits]!;
      for (const c of [0, 1, 2]) expect((all.data as Float32Array)[3 * n + c]).toBeCloseTo((alone.data as Float32Array)[c]!, 5);
    }
    const rows = [0, 1, 2].map((n) => [...(all.data as Float32Array).slice(3 * n, 3 * n + 3)].join());
    expect(new Set(rows).size).toBe(3);
  });
});
