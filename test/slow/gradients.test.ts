/**
 * Gradients of whole nets: ours, run by onnxruntime, against PyTorch's in float64 (test/oracles/torch/net_gradients.py).
 * PROVOKE_WRITE_ACCURACY=1 writes the measured errors to docs/ACCURACY.md.
 */
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/app/host/models.ts';
import type { Graph } from '../../src/core/onnx/graph.ts';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, numbersOf, type Tensor } from '../../src/core/tensor/tensor.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import { openSessions } from '../../src/kit/model/sessions.ts';
import { disagreement, largestDifference, relativeL2 } from '../core/autodiff/agreement.ts';
import { interpret } from '../oracles/interpreter/index.ts';
import { fromTensor } from '../oracles/interpreter/types.ts';
import { type Interpreted, type Measured, writeAccuracy } from './gradients/accuracy.ts';
import { alongDirections } from './gradients/directions.ts';
import { builtinNets, type Net, nets, positionsOf } from './gradients/nets.ts';
import { gradientOf, inputOf, ourGradient, type RecordedGradient, type RecordedNet, recordOf } from './gradients/recorded.ts';

const runtime = createRuntime(ort, { threads: 2 });
const rows: Measured[] = [];
const interpreted: Interpreted[] = [];

const norm = (a: ArrayLike<number>): number => Math.sqrt(Array.from(a).reduce((sum, v) => sum + v * v, 0));

/** The graph with element 5 of the first float constant that fits multiplied by `factor`. */
function scaled(graph: Graph, fits: (t: Tensor) => boolean, factor: number): Graph {
  const [name, constant] = [...graph.initializers].find(([, t]) => t.dtype === 'float32' && fits(t))!;
  const values = f32(
    numbersOf(constant).map((v, i) => (i === 5 ? v * factor : v)),
    constant.dims,
  );
  return { ...graph, initializers: new Map([...graph.initializers, [name, values]]) };
}

/** The first sample, as a batch of 1. */
function firstOf(t: Tensor): Tensor {
  const size = t.data.length / t.dims[0]!;
  return f32(numbersOf(t).slice(0, size), [1, ...t.dims.slice(1)]);
}

/** Notes the errors of a gradient for the table, then holds it to the tolerances. */
function compare(net: Net, record: RecordedNet, scalar: string, expected: RecordedGradient, gradient: Float32Array): void {
  const truth = gradientOf(expected);
  const ours = positionsOf(net, gradient.length).map((p) => gradient[p]!);
  const normError = Math.abs(norm(gradient) / expected.norm - 1);
  rows.push({
    net: net.name,
    scalar,
    elements: gradient.length,
    samples: ours.length,
    ours: relativeL2(ours, truth),
    pytorch: expected.float32Error,
    norm: normError,
    kinks: record.kinks,
  });
  expect(disagreement(ours, truth, expected.float32Error)).toBeUndefined();
  expect(normError).toBeLessThanOrEqual(1e-5);
}

describe('the gradient of a whole net is that of PyTorch in float64', () => {
  it.each(nets.map((net) => [net.name, net] as const))('%s', async (_name, net) => {
    const graph = await net.graph(runtime.execute);
    const record = recordOf(net, graph);
    const { gradient } = await ourGradient(net, graph, inputOf(net, graph, record), runtime);
    compare(net, record, 'outputs', record, gradient.data as Float32Array);
  });
});

describe('the gradient an attack sees is that of the cross-entropy in PyTorch', () => {
  const classifiers = nets.flatMap((net) => (net.labels === undefined ? [] : [[net.name, net, net.labels] as const]));
  it.each(classifiers)('%s', async (name, net, labels) => {
    const graph = await net.graph(runtime.execute);
    const record = recordOf(net, graph);
    const x = inputOf(net, graph, record);
    const { model } = await loadModel({ use: name }, { base: '.', runtime });
    const sessions = openSessions(model, runtime);
    const [input] = Object.keys(model.inputs);
    const size = x.data.length / net.batch;
    const probes = labels.map((_, i) => ({ of: i, inputs: { [input!]: x.data.slice(i * size, (i + 1) * size) } }));
    const losses = labels.map((label) => ({ label, ce: 1 }));
    const answer = await createOracle(sessions, { maxBatch: net.batch }).gradient(probes, losses);
    await sessions.release();
    const whole = Float32Array.from(answer.gradient.flatMap((g) => Array.from(g[input!] as Float32Array)));
    compare(net, record, 'cross-entropy', record.ce!, whole);
  });
});

describe('the nets people use, against the float64 interpreter', () => {
  it.each(builtinNets.map((net) => [net.name, net] as const))('%s', async (_name, net) => {
    const graph = await net.graph(runtime.execute);
    const x = inputOf(net, graph, recordOf(net, graph));
    const ours = await ourGradient(net, graph, x, runtime);
    // the interpreter takes its time, and samples do not depend on each other: the first one
    const at = { x: firstOf(x), cotangent: firstOf(ours.cotangent), gradient: numbersOf(firstOf(ours.gradient)) };
    const output = firstOf(ours.output);
    const exact = interpret(graph, { [graph.inputs[0]!.name]: fromTensor(at.x) }).get(graph.outputs[0]!.name)!;
    expect(output.dims).toEqual(exact.dims);
    const largest = exact.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const forward = largestDifference(numbersOf(output), exact.data) / largest;
    const directions = alongDirections(graph, at, stream('gradients', net.name, 'directions'), 4);
    const direction = Math.max(...directions.map((d) => d.error));
    interpreted.push({ net: net.name, forward, direction });
    expect(forward).toBeLessThanOrEqual(2e-6);
    expect(direction).toBeLessThanOrEqual(1e-5);
    expect(Math.max(...directions.map((d) => d.seen))).toBeGreaterThan(0.3);
  });
});

describe('what was recorded', () => {
  it('is of the net itself: one weight changed in its last digit is noticed', async () => {
    const net = nets[0]!;
    const graph = await net.graph(runtime.execute);
    const changed = scaled(graph, (t) => t.data.length > 1000, 1 + 2 ** -23);
    expect(() => recordOf(net, changed)).toThrow(/resnet18 is written as a file with sha256 .* has changed/);
    expect(recordOf(net, graph).name).toBe('resnet18');
  });

  it('tells a net from one with the scale of one channel of 64 off by a thousandth', async () => {
    const net = nets[0]!;
    const graph = await net.graph(runtime.execute);
    const record = recordOf(net, graph);
    const changed = scaled(graph, (t) => t.data.length === 64 && numbersOf(t)[0] === 1, 1.001);
    const { gradient } = await ourGradient(net, changed, inputOf(net, graph, record), runtime);
    const ours = positionsOf(net, gradient.data.length).map((p) => Number(gradient.data[p]));
    expect(disagreement(ours, gradientOf(record), record.float32Error)).toMatch(/^relative L2 /);
  });
});

afterAll(() => {
  if (process.env.PROVOKE_WRITE_ACCURACY !== '1') return;
  const whole = rows.length === nets.length + nets.filter((n) => n.labels !== undefined).length;
  if (!whole || interpreted.length < builtinNets.length)
    throw new Error('docs/ACCURACY.md is written by a run of the whole file only');
  writeAccuracy(rows, interpreted, ort.env.versions.node ?? 'unknown');
});
