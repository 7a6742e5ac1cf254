import * as ort from 'onnxruntime-node';
import { afterEach, describe, expect, test } from 'vitest';
import { straightThrough } from '../../../src/core/autodiff/substitutes.ts';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { type CompileOptions, compile, type Evaluator } from '../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, numbersOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);
const open: Evaluator[] = [];
afterEach(async () => {
  for (const evaluator of open.splice(0)) await evaluator.release();
});
async function evaluatorOf(graph: Graph, options: Omit<CompileOptions, 'runtime'>): Promise<Evaluator> {
  const evaluator = await compile(graph, { ...options, runtime });
  open.push(evaluator);
  return evaluator;
}

const w1 = [0.5, -1, 2, 1.5, 0.25, -0.75]; // [2, 3]
const w2 = [1, -2, 0.5]; // [3, 1]

/** x [N, 2] -> h = tanh(x w1) -> y = h w2 [N, 1]. */
function mlp(): Graph {
  const g = graphBuilder({ name: 'mlp' });
  g.input('x', ['N', 2]);
  g.op('Tanh', [g.op('MatMul', ['x', g.constant(f32(w1, [2, 3]), 'w1')])], {}, 'h');
  g.op('MatMul', ['h', g.constant(f32(w2, [3, 1]), 'w2')], {}, 'y');
  g.output('y', ['N', 1]);
  return g.build();
}

const x = [0.3, -0.2, 1, 0.7, -0.4, 0.1];
const batch = { x: f32(x, [3, 2]) };

/** Closed form: y and the gradient of sum(c * y). */
function byHand(first: readonly number[], second: readonly number[], c = [1, 1, 1]) {
  const rows = [0, 1, 2].map((n) => {
    const [a, b] = [x[2 * n]!, x[2 * n + 1]!];
    const h = [0, 1, 2].map((j) => Math.tanh(a * first[j]! + b * first[3 + j]!));
    const slope = h.map((v, j) => c[n]! * second[j]! * (1 - v * v));
    return { a, b, h, slope };
  });
  const sum = (f: (r: (typeof rows)[number], n: number) => number) => rows.reduce((total, r, n) => total + f(r, n), 0);
  return {
    y: rows.map(({ h }) => h.reduce((s, v, j) => s + v * second[j]!, 0)),
    x: rows.flatMap(({ slope }) => [0, 3].map((row) => slope.reduce((s, v, j) => s + v * first[row + j]!, 0))),
    h: rows.flatMap((_, n) => second.map((v) => c[n]! * v)),
    w1: [0, 1].flatMap((row) => [0, 1, 2].map((j) => sum(({ a, b, slope }) => (row === 0 ? a : b) * slope[j]!))),
    w2: [0, 1, 2].map((j) => sum(({ h }, n) => c[n]! * h[j]!)),
  };
}

function expectClose(t: Tensor | undefined, values: readonly number[]): void {
  const got = numbersOf(t!);
  expect(got.length).toBe(values.length);
  for (const [i, v] of values.entries()) expect(got[i]).toBeCloseTo(v, 5);
}

describe('values and gradients', () => {
  test('with respect to an input, an intermediate and weights, against the closed form', async () => {
    const evaluator = await evaluatorOf(mlp(), { of: ['y'], wrt: ['x', 'h', 'w1', 'w2'] });
    const { of, grads } = await evaluator.run(batch);
    const hand = byHand(w1, w2);
    expectClose(of.y, hand.y);
    expectClose(grads.x, hand.x);
    expectClose(grads.h, hand.h);
    expectClose(grads.w1, hand.w1);
    expectClose(grads.w2, hand.w2);
    expect(grads.w1!.dims).toEqual([2, 3]);
    expect(Object.keys(of)).toEqual(['y']);
  });

  test('cotangents weigh the samples', async () => {
    const evaluator = await evaluatorOf(mlp(), { of: ['y'], wrt: ['x'], cotangents: true });
    const c = [2, -1, 0];
    const { grads } = await evaluator.run({ ...batch, cotangent_y: f32(c, [3, 1]) });
    expectClose(grads.x, byHand(w1, w2, c).x);
    expect(numbersOf(grads.x!).slice(4)).toEqual([0, 0]);
  });

  test('without wrt only values, intermediates too, and nothing needs a derivative', async () => {
    const g = graphBuilder({ from: mlp() });
    g.op('BitShift', ['bits', 'bits'], { direction: 'LEFT' }, 'shifted');
    g.input('bits', ['N'], 'uint8');
    g.output('shifted', ['N'], 'uint8');
    const evaluator = await evaluatorOf(g.build(), { of: ['h'] });
    // "bits" is not read on the way to h, so it need not be fed
    const { of, grads } = await evaluator.run(batch);
    expectClose(
      of.h,
      [0, 1, 2].flatMap((n) => [0, 1, 2].map((j) => Math.tanh(x[2 * n]! * w1[j]! + x[2 * n + 1]! * w1[3 + j]!))),
    );
    expect(grads).toEqual({});
  });

  test('an evaluator of other outputs than the graph declares leaves the rest out', async () => {
    const g = graphBuilder({ from: mlp() });
    g.op('Det', ['never fed'], {}, 'z');
    g.input('never fed', [2, 2]);
    g.output('z', []);
    const evaluator = await evaluatorOf(g.build(), { of: ['y'], wrt: ['x'] });
    expectClose((await evaluator.run(batch)).grads.x, byHand(w1, w2).x);
  });
});

describe('state', () => {
  test('is replaced without a new session, and gradients follow', async () => {
    const evaluator = await evaluatorOf(mlp(), { of: ['y'], wrt: ['x'], state: ['w1', 'w2'] });
    expectClose((await evaluator.run(batch)).of.y, byHand(w1, w2).y);
    const [first, second] = [w1.map((v) => 1 - v), w2.map((v) => v * v)];
    evaluator.set({ w1: f32(first, [2, 3]), w2: f32(second, [3, 1]) });
    const { of, grads } = await evaluator.run(batch);
    expectClose(of.y, byHand(first, second).y);
    expectClose(grads.x, byHand(first, second).x);
    evaluator.set({ w1: f32(w1, [2, 3]) });
    expectClose((await evaluator.run(batch)).of.y, byHand(w1, second).y);
  });

  test('gradient descent on the weights lowers the loss at every step', async () => {
    const g = graphBuilder({ from: { ...mlp(), outputs: [] } });
    g.input('target', ['N', 1]);
    const error = g.op('Sub', ['y', 'target']);
    g.op('ReduceMean', [g.op('Mul', [error, error])], { keepdims: 0 }, 'loss');
    g.output('loss', []);
    const weights = ['w1', 'w2'];
    const evaluator = await evaluatorOf(g.build(), { of: ['loss'], wrt: weights });
    let state: Record<string, Tensor<'float32'>> = { w1: f32(w1, [2, 3]), w2: f32(w2, [3, 1]) };
    const losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      const { of, grads } = await evaluator.run({ ...batch, target: f32([1, 0, -1], [3, 1]) });
      losses.push(numbersOf(of.loss!)[0]!);
      state = Object.fromEntries(
        weights.map((name) => {
          const slope = numbersOf(grads[name]!);
          return [
            name,
            f32(
              state[name]!.data.map((v, i) => v - 0.1 * slope[i]!),
              state[name]!.dims,
            ),
          ];
        }),
      );
      evaluator.set(state);
    }
    for (const [i, loss] of losses.entries()) if (i > 0) expect(loss).toBeLessThan(losses[i - 1]!);
  });

  test('BatchNormalization statistics held as state are not folded into the weights before it', async () => {
    const g = graphBuilder({ name: 'bn' });
    g.input('x', ['N', 1, 2, 2]);
    const conv = g.op('Conv', ['x', g.constant(f32([3], [1, 1, 1, 1]), 'w')]);
    const constants = (['scale', 'bias', 'mean', 'variance'] as const).map((name, i) =>
      g.constant(f32([[2], [1], [0], [1]][i]!), name),
    );
    g.ops('BatchNormalization', [conv, ...constants], ['y'], { epsilon: { type: 'float', value: 0 } });
    g.output('y', ['N', 1, 2, 2]);
    const evaluator = await evaluatorOf(g.build(), { of: ['y'], wrt: ['x'], state: ['mean', 'variance'] });
    const feeds = { x: f32([1, 2, 3, 4], [1, 1, 2, 2]) };
    expectClose((await evaluator.run(feeds)).of.y, [7, 13, 19, 25]);
    evaluator.set({ mean: f32([3]), variance: f32([4]) });
    const { of, grads } = await evaluator.run(feeds);
    expectClose(of.y, [1, 4, 7, 10]);
    expectClose(grads.x, [3, 3, 3, 3]);
  });

  test('refuses names, dtypes and shapes that are not the state', async () => {
    const evaluator = await evaluatorOf(mlp(), { of: ['y'], state: ['w1'] });
    expect(() => evaluator.set({ w2: f32(w2, [3, 1]) })).toThrow('"w2" is not state of this evaluator (w1)');
    expect(() => evaluator.set({ w1: f32(w1, [3, 2]) })).toThrow('state "w1" is float32 [2,3], got float32 [3,2]');
  });
});

describe('substitutes and names', () => {
  const rounding = (): Graph => {
    const g = graphBuilder({ name: 'rounding' });
    g.input('x', ['N', 2]);
    g.op('Mul', [g.op('Round', ['x'], {}, 'r'), g.number(3)], {}, 'y');
    g.output('y', ['N', 2]);
    return g.build();
  };

  test('a cut is reported and its gradient is zero; a surrogate replaces it and is reported too', async () => {
    const cut = await evaluatorOf(rounding(), { of: ['y'], wrt: ['x'] });
    expect(cut.cuts).toEqual([{ node: 'r', op: 'Round' }]);
    expectClose((await cut.run(batch)).grads.x, [0, 0, 0, 0, 0, 0]);
    const straight = await evaluatorOf(rounding(), { of: ['y'], wrt: ['x'], surrogates: [straightThrough({ op: 'Round' })] });
    expect(straight.cuts).toEqual([]);
    expect(straight.substitutes).toEqual([{ label: 'straight-through', at: 'r' }]);
    expectClose((await straight.run(batch)).grads.x, [3, 3, 3, 3, 3, 3]);
  });

  test('a twin gives the gradient of one value through another', async () => {
    const twin = graphBuilder({ name: 'cube' });
    twin.input('a', ['N', 2]);
    twin.op('Mul', [twin.op('Mul', ['a', 'a']), 'a'], {}, 'b');
    twin.output('b', ['N', 2]);
    const twins = [{ label: 'cube', inputs: ['x'], outputs: ['r'], graph: twin.build() }];
    const evaluator = await evaluatorOf(rounding(), { of: ['y'], wrt: ['x'], twins });
    const { of, grads } = await evaluator.run(batch);
    expectClose(
      of.y,
      x.map((v) => 3 * Math.round(v)),
    );
    expectClose(
      grads.x,
      x.map((v) => 9 * v * v),
    );
    expect(evaluator.substitutes).toEqual([{ label: 'cube', at: 'r' }]);
  });

  test.each<[Omit<CompileOptions, 'runtime'>, string, string]>([
    [{ of: ['yy'] }, 'no node of the graph "mlp" computes "yy"', 'did you mean "y"? (one of: y)'],
    [{ of: ['x'] }, 'no node of the graph "mlp" computes "x"', 'one of: y'],
    [{ of: ['y'], wrt: ['w3'] }, 'the graph "mlp" has no value "w3"', 'one of: x, y'],
    [
      { of: ['y'], state: ['w3'] },
      'the graph "mlp" has no constant "w3" to hold as state',
      'did you mean "w1"? (one of: w1, w2)',
    ],
  ])('%j is refused', async (options, message, remedy) => {
    const error = await compile(mlp(), { ...options, runtime }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message, remedy });
  });
});
