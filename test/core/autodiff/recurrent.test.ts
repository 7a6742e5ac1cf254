/** @file Recurrent nets as a whole: the runtime's own node in front, rows that do not touch each other, graphs that do not grow with time. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { backward, type GradientGraph, gradient } from '../../../src/core/autodiff/gradient.ts';
import { recurrenceDefaults } from '../../../src/core/autodiff/rules/recurrent/recurrence.ts';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { fromTensor } from '../../oracles/interpreter/types.ts';
import { directionalDisagreement, relativeL2 } from './agreement.ts';

const runtime = createRuntime(ort);
const gatesOf = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Op = keyof typeof gatesOf;
const ops = Object.keys(gatesOf) as Op[];
const [short, long] = [5, 40] as const;
const [inputs, hidden] = [3, 4];

const normal = (dims: readonly number[], ...keys: (string | number)[]): Tensor<'float32'> => {
  const random = stream('recurrent', ...keys);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => 0.7 * random.normal()),
    dims,
  );
};

interface NetOptions {
  readonly time: Dim;
  readonly direction?: 'forward' | 'bidirectional';
  readonly lengths?: boolean;
  /** Which of the states are outputs. */
  readonly outputs?: 'each' | 'last';
}

/** A net with constant weights and initial states whose batch is symbolic: "x" [time, N, 3] to "y". */
function net(op: Op, { time, direction = 'bidirectional', lengths = false, outputs = 'each' }: NetOptions): Graph {
  const g = graphBuilder();
  const directions = direction === 'forward' ? 1 : 2;
  const width = gatesOf[op] * hidden;
  const weights = [
    normal([directions, width, inputs], op, 'w'),
    normal([directions, width, hidden], op, 'r'),
    normal([directions, 2 * width], op, 'b'),
  ].map((w) => g.constant(w));
  const x = g.input('x', [time, 'N', inputs]);
  const given = lengths ? [g.input('lengths', ['N'], 'int32')] : [];
  g.ops(op, [x, ...weights, ...given], outputs === 'each' ? ['y'] : ['', 'y'], { hidden_size: hidden, direction });
  g.untypedOutput('y');
  return g.build();
}

const feedsOf = (time: number, batch: number, outputs: 'each' | 'last' = 'each') => ({
  x: normal([time, batch, inputs], 'x'),
  cotangent_y: normal(outputs === 'each' ? [time, 2, batch, hidden] : [2, batch, hidden], 'c'),
});

const differentiate = async (graph: Graph): Promise<GradientGraph> =>
  gradient(await prepare(graph, runtime.execute), runtime.execute, { of: ['y'], wrt: ['x'], cotangents: true });

/** y and dx for the given feeds, one run each. */
async function resultsOf(made: GradientGraph, all: readonly Record<string, Tensor>[]): Promise<{ y: Tensor; dx: Tensor }[]> {
  const session = await runtime.open(made.graph);
  const results = [];
  for (const feeds of all) {
    const found = await session.run(feeds);
    results.push({ y: found.y!, dx: found[made.gradients.x!]! });
  }
  await session.release();
  return results;
}

/** Rows [0, count) along the batch, which is the axis before the last. */
function rows(t: Tensor, count: number): Tensor {
  const [batch, width] = t.dims.slice(-2) as [number, number];
  const kept = numbersOf(t).filter((_, i) => Math.floor(i / width) % batch < count);
  return f32(kept, [...t.dims.slice(0, -2), count, width]);
}

describe.each(ops)('%s', (op) => {
  it.each([
    ['written out', short],
    ['as a Scan', long],
  ])('%s: one gradient graph serves every batch size, and a row has the same bits in all of them', async (_, time) => {
    const made = await differentiate(net(op, { time }));
    const whole = feedsOf(time, 7);
    // the runtime's RNN rounds a batch of 1 otherwise by itself: the oracle pads it (kit/model/pairs.ts)
    const parts = (op === 'RNN' ? [2, 3] : [1, 2, 3]).map((n) => ({
      x: rows(whole.x, n),
      cotangent_y: rows(whole.cotangent_y, n),
    }));
    const [full, ...some] = await resultsOf(made, [whole, ...parts]);
    for (const { y, dx } of some) {
      const batch = dx.dims[1]!;
      expect(dx).toEqual(rows(full!.dx, batch));
      expect(y).toEqual(rows(full!.y, batch));
    }
    expect(some.map(({ dx }) => dx.dims)).toEqual(parts.map(({ x }) => x.dims));
  });

  it('keeps the runtime’s own node, and its bits, in front of the gradient', async () => {
    for (const outputs of ['each', 'last'] as const) {
      const graph = net(op, { time: short, outputs });
      const made = await differentiate(graph);
      expect(made.graph.nodes.filter((n) => n.op === op)).toHaveLength(1);
      const feeds = feedsOf(short, 2, outputs);
      const [result] = await resultsOf(made, [feeds]);
      expect(result!.y).toEqual((await resultsOf({ ...made, graph, gradients: { x: 'y' } }, [{ x: feeds.x }]))[0]!.y);
    }
  });

  it('gives the same gradient written out, as a Scan, and for a length known only at run time', async () => {
    const time = recurrenceDefaults.longestUnrolled;
    for (const lengths of [false, true]) {
      const graphs = [net(op, { time, lengths }), net(op, { time: 'T', lengths })];
      const [fixed, open] = [await differentiate(graphs[0]!), await differentiate(graphs[1]!)];
      expect(fixed.graph.nodes.some((n) => n.op === 'Scan')).toBe(false);
      expect(open.graph.nodes.some((n) => n.op === 'Scan')).toBe(true);
      const feeds = { ...feedsOf(time, 3), ...(lengths ? { lengths: tensor('int32', [3], Int32Array.of(time, 2, 7)) } : {}) };
      const [[a], [b]] = [await resultsOf(fixed, [feeds]), await resultsOf(open, [feeds])];
      expect(relativeL2(numbersOf(b!.dx), numbersOf(a!.dx))).toBeLessThan(1e-6);
    }
  });

  it('is the derivative at lengths that change from run to run', async () => {
    const graph = net(op, { time: 'T' });
    const made = await differentiate(graph);
    const all = [3, 1, 21].map((time) => feedsOf(time, 2));
    for (const [i, { dx }] of (await resultsOf(made, all)).entries()) {
      const { x, cotangent_y } = all[i]!;
      const claim = { graph, feeds: { x: fromTensor(x) }, cotangents: { y: cotangent_y.data }, gradients: { x: numbersOf(dx) } };
      expect(directionalDisagreement(claim, stream('lengths', i))).toBeUndefined();
    }
  });

  it('grows by the same number of nodes a moment while written out and not at all as a Scan; weights are written a fixed number of times', async () => {
    const sizes = async (time: number) => {
      const { nodes, initializers } = (await differentiate(net(op, { time }))).graph;
      const weights = [...initializers.values()].filter((t) => t.dims.length >= 2 && t.dtype === 'float32');
      return { nodes: nodes.length, weights: weights.length };
    };
    const [four, eight, twelve, forty, longer] = [
      await sizes(4),
      await sizes(8),
      await sizes(12),
      await sizes(40),
      await sizes(200),
    ];
    expect(twelve.nodes - eight.nodes).toBe(eight.nodes - four.nodes);
    expect(new Set([four, eight, twelve].map((s) => s.weights)).size).toBe(1);
    expect(longer).toEqual(forty);
  });
});

describe('refused', () => {
  it('an activation without a rule, naming it', () => {
    const g = graphBuilder();
    const dims = { x: [2, null, inputs], w: [1, hidden, inputs], r: [1, hidden, hidden], y: [2, 1, null, hidden] };
    g.ops('RNN', [g.input('x', dims.x), g.input('w', dims.w), g.input('r', dims.r)], ['y'], { activations: ['Sine'] });
    g.untypedOutput('y');
    const shapes = new Map(Object.entries(dims).map(([name, d]) => [name, { dtype: 'float32' as const, dims: d }]));
    const attempt = () => backward({ graph: g.build(), standIn: new Map() }, shapes, { of: ['y'], wrt: ['x'] });
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(/RNN .*"Sine"/);
  });

  it('a node whose states have no name, as a slip of the program', async () => {
    const graph = net('GRU', { time: short, outputs: 'last' });
    await expect(gradient(graph, runtime.execute, { of: ['y'], wrt: ['x'] })).rejects.toThrow(/prepare the graph first/);
  });
});
