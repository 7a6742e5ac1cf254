import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reseed } from '../../../../bench/models/reseed.ts';
import { type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { foldedOnly, prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { joinRows, splitRows } from '../../../../src/core/onnx/passes/symbolic-batch/rows.ts';
import { makeBatchSymbolic } from '../../../../src/core/onnx/passes/symbolic-batch.ts';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { f32, i64, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf } from './compare.ts';

interface Fixed {
  graph: Graph;
  axis?: number;
  batch: number;
  outputAxis?: number;
}

/** Builds a graph whose input x holds `batch` samples and whose output is y. */
function fixed(dims: readonly number[], write: (g: GraphBuilder, x: string) => string): Graph {
  const g = graphBuilder({ opset: 18 });
  const y = write(g, g.input('x', dims));
  g.op('Identity', [y], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

const weights = (g: GraphBuilder, name: string, ...dims: number[]): string => g.constant(normal(dims, name), name);

const image = (batch: number, target: readonly number[]): Graph =>
  fixed([batch, 3, 4, 4], (g, x) => {
    const features = g.op('Relu', [g.op('Conv', [x, weights(g, 'k', 5, 3, 3, 3)], { pads: [1, 1, 1, 1] })]);
    const pooled = g.op('GlobalAveragePool', [features]);
    return g.op('Gemm', [g.op('Reshape', [pooled, g.ints(target)]), weights(g, 'w', 5, 2)]);
  });

/** Frames are folded into the batch for a convolution and unfolded again, then averaged over time. */
const video = (batch: number): Graph =>
  fixed([batch, 3, 2, 4, 4], (g, x) => {
    const frames = g.op('Reshape', [x, g.ints([batch * 3, 2, 4, 4])]);
    const pooled = g.op('GlobalAveragePool', [g.op('Conv', [frames, weights(g, 'k', 5, 2, 3, 3)])]);
    const clips = g.op('Reshape', [pooled, g.ints([batch, 3, 5])]);
    return g.op('ReduceMean', [clips, g.ints([1])], { keepdims: 0 });
  });

/** One attention layer with a class token, two heads and merged projections, every size a literal. */
const attention = (batch: number): Graph =>
  fixed([batch, 3, 4], (g, x) => {
    const token = g.op('Expand', [weights(g, 'cls', 1, 1, 4), g.ints([batch, 1, 4])]);
    const tokens = g.op('Add', [g.op('Concat', [token, x], { axis: 1 }), weights(g, 'position', 1, 4, 4)]);
    const flat = g.op('Reshape', [tokens, g.ints([batch * 4, 4])]);
    const heads = (name: string): string => {
      const projected = g.op('Gemm', [flat, weights(g, name, 4, 4), weights(g, `${name}_bias`, 4)]);
      return g.op('Transpose', [g.op('Reshape', [projected, g.ints([batch, 4, 2, 2])])], { perm: [0, 2, 1, 3] });
    };
    const [q, k, v] = [heads('q'), heads('k'), heads('v')];
    const merged = g.op('Reshape', [q, g.ints([batch * 2, 4, 2])]);
    const keys = g.op('Transpose', [g.op('Reshape', [k, g.ints([batch * 2, 4, 2])])], { perm: [0, 2, 1] });
    const scores = g.op('Softmax', [g.op('MatMul', [merged, keys])], { axis: -1 });
    const mixed = g.op('MatMul', [scores, g.op('Reshape', [v, g.ints([batch * 2, 4, 2])])]);
    const back = g.op('Transpose', [g.op('Reshape', [mixed, g.ints([batch, 2, 4, 2])])], { perm: [0, 2, 1, 3] });
    const joined = g.op('Reshape', [back, g.ints([batch, 4, 4])]);
    return g.op('Reshape', [g.op('Slice', [joined, g.ints([0, 0]), g.ints([batch, 1]), g.ints([0, 1])]), g.ints([batch, 4])]);
  });

/** Time-major recurrent net with literal initial states: x is [time, batch, features]. */
const recurrent = (batch: number): Graph =>
  fixed([5, batch, 3], (g, x) => {
    const zero = g.op('ConstantOfShape', [g.ints([1, batch, 4])]);
    const [, last] = g.ops('GRU', [x, weights(g, 'w', 1, 12, 3), weights(g, 'r', 1, 12, 4), '', '', zero], 2, { hidden_size: 4 });
    return g.op('Reshape', [last!, g.ints([batch, 4])]);
  });

/** Time-major frames through one linear layer: time and batch merge with the batch inside. */
const timeMajor = (batch: number): Graph =>
  fixed([5, batch, 3], (g, x) => {
    const steps = g.op('Gemm', [g.op('Reshape', [x, g.ints([5 * batch, 3])]), weights(g, 'w', 3, 4)]);
    return g.op('ReduceMax', [g.op('Reshape', [steps, g.ints([5, batch, 4])]), g.ints([0])], { keepdims: 0 });
  });

/** Scores of two heads, merged with the batch, get a position bias that the exporter repeated for every sample (WavLM, T5). */
const biasPerHead = (batch: number): Graph =>
  fixed([batch, 2, 3, 4], (g, x) => {
    const heads = g.op('Reshape', [x, g.ints([batch * 2, 3, 4])]);
    const scores = g.op('MatMul', [heads, g.op('Transpose', [heads], { perm: [0, 2, 1] })]);
    const bias = normal([2, 3, 3], 'bias');
    const biased = g.op('Add', [scores, g.constant(joinRows(Array<typeof bias>(batch).fill(bias), 0))]);
    const mixed = g.op('MatMul', [g.op('Softmax', [biased], { axis: -1 }), heads]);
    return g.op('Reshape', [mixed, g.ints([batch, 24])]);
  });

const cases: Record<string, Fixed> = {
  'Reshape to [1, 5] at batch 1': { graph: image(1, [1, 5]), batch: 1 },
  'Reshape to [1, -1] at batch 1': { graph: image(1, [1, -1]), batch: 1 },
  'Reshape to [4, -1] at batch 4': { graph: image(4, [4, -1]), batch: 4 },
  'Reshape to [-1, 5] at batch 4': { graph: image(4, [-1, 5]), batch: 4 },
  'merged frames at batch 1': { graph: video(1), batch: 1 },
  'merged frames at batch 3, equal to the number of frames': { graph: video(3), batch: 3 },
  'attention at batch 1': { graph: attention(1), batch: 1 },
  'attention at batch 2, equal to the number of heads': { graph: attention(2), batch: 2 },
  'attention at batch 4, equal to the number of tokens': { graph: attention(4), batch: 4 },
  'recurrent initial state at batch 1, time-major': { graph: recurrent(1), batch: 1, axis: 1 },
  'recurrent initial state at batch 4, equal to the state': { graph: recurrent(4), batch: 4, axis: 1 },
  'merged time-major frames at batch 1': { graph: timeMajor(1), batch: 1, axis: 1 },
  'merged time-major frames at batch 5, equal to the time': { graph: timeMajor(5), batch: 5, axis: 1 },
  'squeezed and indexed batch of 1': {
    batch: 1,
    graph: fixed([1, 3, 4], (g, x) => {
      const rows = g.op('Gemm', [g.op('Squeeze', [x, g.ints([0])]), weights(g, 'w', 4, 2)]);
      const again = g.op('Unsqueeze', [rows, g.ints([0])]);
      return g.op('ReduceMean', [again, g.ints([1])], { keepdims: 0 });
    }),
  },
  'Resize to literal sizes': {
    batch: 2,
    graph: fixed([2, 1, 3, 3], (g, x) => g.op('Resize', [x, '', '', g.ints([2, 1, 6, 5])], { mode: 'linear' })),
  },
  'a shape computed at run time from the input': {
    batch: 1,
    graph: fixed([1, 3, 4], (g, x) => {
      const n = g.op('Gather', [g.op('Shape', [x]), g.ints([0])], { axis: 0 });
      return g.op('Reshape', [g.op('Relu', [x]), g.op('Concat', [n, g.ints([12])], { axis: 0 })]);
    }),
  },
  'a shape computed partly from literals': {
    batch: 1,
    graph: fixed([1, 3, 4], (g, x) => {
      const t = g.op('Gather', [g.op('Shape', [x]), g.ints([1])], { axis: 0 });
      return g.op('Reshape', [g.op('Relu', [x]), g.op('Concat', [g.ints([1]), t, g.ints([4])], { axis: 0 })]);
    }),
  },
  'every element gathered in order': {
    batch: 1,
    graph: fixed([1, 3, 2], (g, x) => {
      const list = g.op('Reshape', [g.op('Relu', [x]), g.ints([-1])]);
      return g.op(
        'ReduceMean',
        [g.op('Gather', [list, g.constant(i64([0, 1, 2, 3, 4, 5], [1, 3, 2]))], { axis: 0 }), g.ints([2])],
        { keepdims: 0 },
      );
    }),
  },
  'heads split off a time-major value at batch 1': {
    batch: 1,
    axis: 1,
    graph: fixed([5, 1, 6], (g, x) => {
      const heads = g.op('Transpose', [g.op('Reshape', [x, g.ints([5, 2, 3])])], { perm: [1, 0, 2] });
      const mixed = g.op('MatMul', [
        g.op('Softmax', [g.op('MatMul', [heads, g.op('Transpose', [heads], { perm: [0, 2, 1] })])]),
        heads,
      ]);
      const joined = g.op('Reshape', [g.op('Transpose', [mixed], { perm: [1, 0, 2] }), g.ints([5, 6])]);
      const steps = g.op('Reshape', [g.op('Gemm', [joined, weights(g, 'w', 6, 4)]), g.ints([5, 1, 4])]);
      return g.op('ReduceMax', [steps, g.ints([0])], { keepdims: 0 });
    }),
  },
  'a bias per head, heads and batch merged, at batch 1': { graph: biasPerHead(1), batch: 1 },
  'a bias per head, heads and batch merged, at batch 3': { graph: biasPerHead(3), batch: 3 },
  'the frame token of every clip taken as the first rows of all frames, at batch 1': {
    batch: 1,
    graph: fixed([1, 3, 4], (g, x) => {
      const token = g.constant(f32([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [3, 1, 4]));
      const frames = g.op('Concat', [token, g.op('Reshape', [x, g.ints([3, 1, 4])])], { axis: 1 });
      const first = g.op('Slice', [frames, g.ints([0]), g.ints([1]), g.ints([0])]);
      const steps = g.op('Slice', [frames, g.ints([1]), g.ints([2]), g.ints([1])]);
      const clips = g.op(
        'Concat',
        [g.op('Slice', [first, g.ints([0]), g.ints([1]), g.ints([1])]), g.op('Reshape', [steps, g.ints([1, 3, 4])])],
        {
          axis: 1,
        },
      );
      return g.op('ReduceMax', [clips, g.ints([1])], { keepdims: 0 });
    }),
  },
  'a constant row for every frame of a clip, at batch 1': {
    batch: 1,
    graph: fixed([1, 3, 4], (g, x) => {
      const place = g.constant(f32([1, 2, 3], [3, 1, 1]));
      const frames = g.op('Concat', [place, g.op('Reshape', [x, g.ints([3, 1, 4])])], { axis: 2 });
      return g.op('ReduceMax', [g.op('Reshape', [frames, g.ints([1, 3, 5])]), g.ints([1])], { keepdims: 0 });
    }),
  },
  'the first step of time-major rows, at batch 2': {
    batch: 2,
    axis: 1,
    graph: fixed([3, 2, 4], (g, x) => {
      const rows = g.op('Gemm', [g.op('Reshape', [x, g.ints([6, 4])]), weights(g, 'w', 4, 3)]);
      return g.op('Sub', [
        g.op('Slice', [rows, g.ints([2]), g.ints([4]), g.ints([0])]),
        g.op('Slice', [rows, g.ints([0]), g.ints([2]), g.ints([0])]),
      ]);
    }),
  },
  'heads over patches of a single row, at batch 1': {
    batch: 1,
    graph: fixed([1, 4, 6], (g, x) => {
      const patches = g.op('Reshape', [x, g.ints([4, 1, 6])]);
      const heads = (name: string): string => {
        const made = g.op('MatMul', [patches, weights(g, name, 6, 6)]);
        return g.op('Transpose', [g.op('Reshape', [made, g.ints([4, 1, 2, 3])])], { perm: [0, 2, 1, 3] });
      };
      const scores = g.op('Softmax', [g.op('MatMul', [heads('q'), g.op('Transpose', [heads('k')], { perm: [0, 1, 3, 2] })])], {
        axis: 1,
      });
      const mixed = g.op('Transpose', [g.op('MatMul', [scores, heads('v')])], { perm: [0, 2, 1, 3] });
      const sum = g.op('Add', [g.op('Reshape', [mixed, g.ints([4, 1, 6])]), patches]);
      return g.op('ReduceMax', [g.op('Reshape', [sum, g.ints([1, 4, 6])]), g.ints([1])], { keepdims: 0 });
    }),
  },
  'a single token, at batch 1': {
    batch: 1,
    graph: fixed([1, 1, 4], (g, x) => {
      const flat = (value: string, name: string): string =>
        g.op('Reshape', [g.op('Gemm', [g.op('Reshape', [value, g.ints([1, 4])]), weights(g, name, 4, 4)]), g.ints([1, 1, 4])]);
      const layers = ['a', 'b', 'c', 'd', 'e'].reduce((value, name) => g.op('Tanh', [flat(value, name)]), x);
      return g.op('ReduceMean', [layers, g.ints([1])], { keepdims: 0 });
    }),
  },
  'channels written into zeros along time, at batch 1': {
    batch: 1,
    graph: fixed([1, 3, 2], (g, x) => {
      const indices = i64([0, 0, 0, 0, 1, 0], [1, 2, 1, 3]);
      const late = g.op('Slice', [x, g.ints([1, 0]), g.ints([3, 1]), g.ints([1, 2])]);
      const shifted = g.op('ScatterND', [g.constant(f32(new Float32Array(6), [1, 3, 2])), g.constant(indices), late]);
      return g.op('ReduceMean', [g.op('Mul', [shifted, x]), g.ints([1])], { keepdims: 0 });
    }),
  },
  'a constant with equal rows': {
    batch: 2,
    graph: fixed([2, 3], (g, x) => g.op('Add', [x, g.constant(f32([1, 2, 3, 1, 2, 3], [2, 3]))])),
  },
};

describe('makeBatchSymbolic', () => {
  for (const [name, { graph, axis = 0, batch }] of Object.entries(cases)) {
    it(name, async () => {
      const prepared = await prepare(graph, execute);
      const made = await makeBatchSymbolic(prepared, execute, { batchAxis: { x: axis } });
      expect(made).toMatchObject({ proven: true });
      expect(made.graph.inputs[0]!.dims![axis]).toBe('N');
      expect(made.graph.outputs[0]!.dims![0]).toBe('N');
      // sizes and rows the proof itself did not use
      const n = 3 * batch + 2;
      const one = prepared.inputs[0]!.dims!.map((d, i) => (i === axis ? 1 : (d as number)));
      const rows = Array.from({ length: n }, (_, i) => normal(one, 'row', i));
      const { y } = await execute(made.graph, { x: joinRows(rows, axis) });
      const all = splitRows(y!, 0, n).map(numbersOf);
      for (let r = 0; r < n; r++) {
        const group = Array.from({ length: batch }, (_, i) => rows[(r + i) % n]!);
        const alone = numbersOf(splitRows((await execute(graph, { x: joinRows(group, axis) })).y!, 0, batch)[0]!);
        for (const [i, v] of alone.entries()) expect(all[r]![i]).toBeCloseTo(v, 4);
      }
    });
  }

  it('makes the channel shuffles of ShuffleNet follow the batch', async () => {
    const file = new URL('../../../../bench/models/light/light_shufflenet.onnx', import.meta.url);
    const prepared = await prepare(reseed(await foldedOnly(readModel(readFileSync(file)), execute), 3), execute);
    const made = await makeBatchSymbolic(prepared, execute, { batchAxis: { 'gpu_0/data_0': 0 } });
    expect(made.proven).toBe(true);
    expect(opsOf(made.graph)).not.toContain('Shape');
  });

  for (const name of ['transformer-1-17', 'transformer-1-18', 'transformer-4-17', 'transformer-4-18', 'lstm-1-11', 'lstm-3-18']) {
    it(`makes PyTorch's export ${name} (name, batch, opset) follow the batch`, async () => {
      const file = new URL(`../../../fixtures/torch-exports/${name}.onnx`, import.meta.url);
      const before = readModel(readFileSync(file));
      const prepared = await prepare(before, execute);
      const x = prepared.inputs[0]!;
      expect(await difference(before, prepared, normalFeeds(before))).toBeLessThan(1e-5);
      expect(await makeBatchSymbolic(prepared, execute, { batchAxis: { [x.name]: 0 } })).toMatchObject({ proven: true });
    });
  }

  it('needs no sizes at run time where one open axis says it', async () => {
    const made = await makeBatchSymbolic(await prepare(attention(2), execute), execute, { batchAxis: { x: 0 } });
    expect(opsOf(made.graph).filter((op) => op === 'Shape')).toHaveLength(1);
  });

  it('returns a symbolic graph as it is', async () => {
    const g = graphBuilder();
    g.op('Relu', [g.input('x', ['N', 2])], {}, 'y');
    g.untypedOutput('y');
    const graph = g.build();
    expect(await makeBatchSymbolic(graph, execute, { batchAxis: { x: 0 } })).toEqual({ graph, proven: true });
  });

  const unproven: Record<string, [Graph, RegExp]> = {
    'rows that influence each other': [
      fixed([2, 3], (g, x) => g.op('Sub', [x, g.op('ReduceMean', [x, g.ints([0])])])),
      /row .* changes when the batch is/,
    ],
    'a constant with a row per sample': [
      fixed([2, 3], (g, x) => g.op('Add', [x, g.constant(f32([1, 2, 3, 4, 5, 6], [2, 3]))])),
      /Add .* cannot follow the batch/,
    ],
    'a result without rows': [fixed([2, 3], (g, x) => g.op('ReduceSum', [x], { keepdims: 0 })), /rows cannot be told apart/],
    'a result that ignores its input': [fixed([2, 3], (g, x) => g.op('Mul', [x, g.number(0)])), /proves nothing/],
    'samples picked by number': [
      fixed([2, 3], (g, x) => g.op('Gather', [x, g.constant(i64([1, 0]))], { axis: 0 })),
      /rows cannot be told apart/,
    ],
  };
  for (const [name, [graph, reason]] of Object.entries(unproven)) {
    it(`does not claim ${name}`, async () => {
      const made = await makeBatchSymbolic(graph, execute, { batchAxis: { x: 0 } });
      expect(made.proven).toBe(false);
      expect(made.reason).toMatch(reason);
      expect(made.graph.inputs).toEqual(graph.inputs);
    });
  }
});
