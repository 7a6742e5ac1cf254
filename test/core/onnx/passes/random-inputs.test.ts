/** Nodes that draw random numbers become functions of the draws they are fed: held against the definitions of the ONNX operators. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { float, type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { randomInputs } from '../../../../src/core/onnx/passes/random-inputs.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, sizeOf, type Tensor, tensor } from '../../../../src/core/tensor/tensor.ts';

const { execute } = createRuntime(ort);

/** A graph over x [N, 4] whose outputs are what `write` returns. */
function graphOf(write: (g: GraphBuilder, x: string) => readonly string[], dims: readonly (number | string)[] = ['N', 4]): Graph {
  const g = graphBuilder();
  for (const name of write(g, g.input('x', dims))) g.untypedOutput(name);
  return g.build();
}

const batch = f32([0, 0.25, 0.5, 1, 1, 0.75, 0.1, 0.9], [2, 4]);
const training = (g: GraphBuilder) => g.constant(tensor('bool', [], Uint8Array.of(1)));

/** Lowers, and runs with the draws given. */
async function run(graph: Graph, draws: Tensor, x: Tensor = batch): Promise<Tensor[]> {
  const { graph: lowered, randoms, left } = await randomInputs(graph, execute, graph.inputs[0]!.dims![0]!);
  expect(left).toEqual([]);
  const results = await execute(lowered, { x, [randoms[0]!.name]: draws });
  return lowered.outputs.map(({ name }) => results[name]!);
}

const uniform = (dims: readonly number[]): Tensor<'float32'> => {
  const random = stream('random inputs');
  return f32(
    Array.from({ length: sizeOf(dims) }, () => random.uniform()),
    dims,
  );
};

describe('random nodes fed from outside', () => {
  const u = f32([0, 0.25, 0.4, 0.99, 0.5, 0.75, 0, 0.8], [2, 4]);

  it('RandomNormalLike is mean + scale z', async () => {
    const [y] = await run(
      graphOf((g, x) => [g.op('RandomNormalLike', [x], { mean: float(3), scale: float(2) })]),
      f32([1, -1, 0, 2, 0.5, 0, 0, -2], [2, 4]),
    );
    expect(Array.from(y!.data as Float32Array)).toEqual([5, 1, 3, 7, 4, 3, 3, -1]);
  });

  it('RandomUniformLike is low + (high - low) u, in the type asked for', async () => {
    const [y] = await run(
      graphOf((g, x) => [g.op('RandomUniformLike', [x], { low: float(-2), high: float(2), dtype: 11 })]),
      u,
    );
    expect(y!.dtype).toBe('float64');
    expect(Array.from(y!.data as Float64Array, (v) => Math.fround(v))).toEqual(
      Array.from(u.data, (v) => Math.fround(-2 + 4 * v)),
    );
  });

  it('RandomNormal has the shape it states; without the batch in it a run has one draw', async () => {
    const graph = graphOf((g, x) => [g.op('Add', [x, g.op('RandomNormal', [], { shape: [4] })])]);
    const { randoms } = await randomInputs(graph, execute, 'N');
    expect(randoms).toMatchObject([{ kind: 'normal', dims: [4] }]);
    const [y] = await run(graph, f32([1, 2, 3, 4]));
    expect(Array.from(y!.data as Float32Array)).toEqual(Array.from(batch.data, (v, i) => Math.fround(v + 1 + (i % 4))));
  });

  it('Bernoulli is 1 where u < p: never at p = 0, always at p = 1', async () => {
    const [y] = await run(
      graphOf((g, x) => [g.op('Bernoulli', [x])]),
      u,
    );
    expect(Array.from(y!.data as Float32Array, Math.abs)).toEqual([0, 0, 1, 1, 1, 0, 1, 1]);
    const [counts] = await run(
      graphOf((g, x) => [g.op('Bernoulli', [x], { dtype: 7 })]),
      u,
    );
    expect(counts!.data).toEqual(BigInt64Array.of(0n, 0n, 1n, 1n, 1n, 0n, 1n, 1n));
  });

  it('Multinomial draws classes as often as their softmax says', async () => {
    const draws = 4000;
    const z = [0, 1, -1, 2];
    const [y] = await run(
      graphOf((g, x) => [g.op('Multinomial', [x], { sample_size: draws })]),
      uniform([1, draws, 4]),
      f32(z, [1, 4]),
    );
    expect(y!.dtype).toBe('int32');
    const total = z.reduce((sum, v) => sum + Math.exp(v), 0);
    for (const [c, v] of z.entries()) {
      const p = Math.exp(v) / total;
      const seen = (y!.data as Int32Array).filter((k) => k === c).length / draws;
      expect(Math.abs(seen - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    }
  });

  it('Dropout in training keeps where u >= ratio, times 1 / (1 - ratio), and says what it kept', async () => {
    const graph = graphOf((g, x) => g.ops('Dropout', [x, g.number(0.5), training(g)], 2));
    const [y, mask] = await run(graph, u);
    expect(Array.from(mask!.data as Uint8Array)).toEqual([0, 0, 0, 1, 1, 1, 0, 1]);
    expect(Array.from(y!.data as Float32Array)).toEqual([0, 0, 0, 2, 2, 1.5, 0, 1.8].map(Math.fround));
  });

  it('Dropout in evaluation is no random node', async () => {
    const graph = graphOf((g, x) => [g.op('Dropout', [x, g.number(0.5)])]);
    expect(await randomInputs(graph, execute, 'N')).toEqual({ graph, randoms: [], left: [] });
  });
});

describe('whose draws they are', () => {
  it('the axis that is the batch is the samples', async () => {
    const graph = graphOf((g, x) => [g.op('RandomNormalLike', [g.op('Transpose', [x], { perm: [1, 0] })])]);
    expect((await randomInputs(graph, execute, 'N')).randoms).toMatchObject([{ kind: 'normal', dims: [4, null] }]);
  });

  it('of a merged axis (samples times frames) every sample has a row', async () => {
    const graph = graphOf((g, x) => {
      const frames = g.op('Reshape', [x, g.ints([-1, 2])]);
      return [g.op('Dropout', [frames, g.number(0.5), training(g)])];
    });
    const { graph: lowered, randoms } = await randomInputs(graph, execute, 'N');
    expect(randoms).toMatchObject([{ dims: [null, 4] }]);
    const u = [0, 0.9, 0, 0.9, 0.9, 0, 0.9, 0];
    const results = await execute(lowered, { x: batch, [randoms[0]!.name]: f32(u, [2, 4]) });
    const y = results[lowered.outputs[0]!.name]!;
    expect(Array.from(y.data as Float32Array)).toEqual(Array.from(batch.data, (v, i) => (u[i]! < 0.5 ? 0 : 2 * v)));
  });

  it('a batch the file fixes is found by its size', async () => {
    const graph = graphOf((g, x) => [g.op('RandomNormalLike', [x])], [3, 4]);
    expect((await randomInputs(graph, execute, 3)).randoms).toMatchObject([{ dims: [null, 4] }]);
  });

  it('what lies inside a loop is left, and said', async () => {
    const graph = graphOf((g, x) => {
      const body = g.body('body');
      body.input('x_t', [4]);
      body.output(body.op('RandomNormalLike', ['x_t'], {}, 'noise'), [4]);
      return [g.op('Scan', [x], { num_scan_inputs: 1, body: { type: 'graph', value: body.build() } })];
    });
    const { randoms, left } = await randomInputs(graph, execute, 'N');
    expect(randoms).toEqual([]);
    expect(left).toEqual(['RandomNormalLike "noise" (output "noise"): it lies in the body of an If, Loop or Scan']);
  });
});
