/** @file What a file written by `provoke gradient` must fulfil, checked from outside: by onnxruntime and by a float64 reading of its own loss. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { Graph, Value } from '../../../src/core/onnx/graph.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { type F64, f64 } from '../../oracles/interpreter/types.ts';
import { type Ended, provoke } from './provoke.ts';

const batch = 3;
/** Central differences in float64: their own error is near 1e-9 of the slope. */
const h = 1e-5;
/** Largest distance of a float32 slope from the float64 one, relative to the length of the gradient. */
const tolerance = 2e-6;

export interface Proof {
  /** The attacked input. */
  readonly input: string;
  readonly classes: number;
  /** Values are drawn uniformly from here: random points lie off the kinks. */
  readonly range?: readonly [number, number];
  /** Directions that the slope is compared along. */
  readonly directions?: number;
  /** How the command of `gradientArgs` ended, where it has been run in the folder. */
  readonly written?: Ended;
}

/** The command line whose result is proved. */
export const gradientArgs = (model: string): readonly string[] => ['gradient', model, '-o', 'gradient.onnx'];

/** Runs `provoke gradient MODEL` in `folder` and checks the result: default domain only, loads, free batch, right gradient at batch 3. */
export async function proveGradient(folder: string, model: string, proof: Proof): Promise<void> {
  const written = proof.written ?? (await provoke(gradientArgs(model), folder));
  expect(written.stderr).toBe('');
  expect(written.code).toBe(0);
  const bytes = await readFile(join(folder, 'gradient.onnx'));
  const graph = readModel(bytes, { source: 'gradient.onnx' });
  expect(graph.nodes.filter((n) => n.domain !== '').map((n) => n.op)).toEqual([]);
  expect([...graph.opsets.keys()]).toEqual(['']);

  const symbol = batchSymbol(graph, 'loss');
  expect(batchSymbol(graph, 'label')).toBe(symbol);
  expect(batchSymbol(graph, proof.input)).toBe(symbol);
  expect(batchSymbol(graph, `grad_${proof.input}`)).toBe(symbol);

  const session = await ort.InferenceSession.create(bytes);
  const results = new Map<number, ort.InferenceSession.ReturnType>();
  for (const n of [1, 2, batch]) results.set(n, await session.run(feedsAt(graph, n, proof)));
  for (const [n, result] of results) {
    expect(result.loss!.dims).toEqual([n]);
    expect(result[`grad_${proof.input}`]!.dims).toEqual(dimsAt(signatureOf(graph, proof.input), n));
  }
  const result = results.get(batch)!;
  const feeds = Object.fromEntries(Object.entries(feedsAt(graph, batch, proof)).map(([name, t]) => [name, toF64(t)]));
  const base = interpret(graph, feeds).get('loss')!;
  for (let i = 0; i < batch; i++) expect(base.data[i]).toBeCloseTo(Number(result.loss!.data[i]), 4);

  const gradient = Float64Array.from(result[`grad_${proof.input}`]!.data as Float32Array);
  const length = Math.hypot(...gradient);
  expect(length).toBeGreaterThan(1e-4);
  const random = stream('directions', model);
  for (let d = 0; d < (proof.directions ?? 6); d++) {
    // a random direction that leans on the gradient, so that the slope is not lost in a high-dimensional near-orthogonality
    const drawn = Float64Array.from(gradient, (g) => (d === 0 ? 0 : random.normal() / Math.sqrt(gradient.length)) + g / length);
    const size = Math.hypot(...drawn);
    const direction = drawn.map((v) => v / size);
    const slope = direction.reduce((sum, v, i) => sum + v * gradient[i]!, 0);
    const at = (step: number): number => {
      const x = feeds[proof.input]!;
      const moved = f64(
        x.dims,
        x.data.map((v, i) => v + step * direction[i]!),
      );
      return interpret(graph, { ...feeds, [proof.input]: moved })
        .get('loss')!
        .data.reduce((a, b) => a + b);
    };
    const difference = (at(h) - at(-h)) / (2 * h);
    expect(Math.abs(difference - slope) / length).toBeLessThan(tolerance);
  }
  await session.release();
}

function signatureOf(graph: Graph, name: string): Value {
  const value = [...graph.inputs, ...graph.outputs].find((v) => v.name === name);
  if (value === undefined) throw new Error(`the gradient model has no input or output "${name}"`);
  return value;
}

/** The one size of a value that is not a number: the name of the batch. */
function batchSymbol(graph: Graph, name: string): string {
  const open = signatureOf(graph, name).dims!.filter((d) => typeof d !== 'number');
  expect(open).toHaveLength(1);
  expect(typeof open[0]).toBe('string');
  return open[0] as string;
}

const dimsAt = (value: Value, n: number): number[] => value.dims!.map((d) => (typeof d === 'number' ? d : n));

function feedsAt(graph: Graph, n: number, { input, classes, range = [0, 1] }: Proof): Record<string, ort.Tensor> {
  expect(graph.inputs.map((v) => v.name).sort()).toEqual(['label', input].sort());
  const dims = dimsAt(signatureOf(graph, input), n);
  const random = stream('feeds', n);
  const values = Float32Array.from({ length: sizeOf(dims) }, () => range[0] + (range[1] - range[0]) * random.uniform());
  const labels = BigInt64Array.from({ length: n }, (_, i) => BigInt(i % classes));
  return { [input]: new ort.Tensor('float32', values, dims), label: new ort.Tensor('int64', labels, [n]) };
}

const toF64 = (t: ort.Tensor): F64 => f64(t.dims, Array.from(t.data as ArrayLike<number | bigint>, Number));
