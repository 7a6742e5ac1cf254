/** Models that draw random numbers: the oracle feeds them, so every answer can be repeated, and questions may be means over many draws. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { straightThrough } from '../../../src/core/autodiff/substitutes.ts';
import { float, type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, i64, tensor } from '../../../src/core/tensor/tensor.ts';
import { gradientModel } from '../../../src/kit/model/gradient-model.ts';
import { createOracle, type OracleOptions } from '../../../src/kit/model/make-oracle.ts';
import type { Model } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import type { GradientOracle, Probe } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';

const runtime = createRuntime(ort);
const weights = [1, -2, 3, 0.5, -1, 2];
const plain = [0, 1].map((c) => [0, 1, 2].map((i) => weights[2 * i + c]!));

/** z = noisy(x) W over three features. */
function modelOf(noisy: (g: GraphBuilder, x: string) => string, batch: number | string = 'N'): Promise<Model> {
  const g = graphBuilder();
  const noise = noisy(g, g.input('x', [batch, 3]));
  g.output(g.op('MatMul', [noise, g.constant(f32(weights, [3, 2]))], {}, 'z'), [batch, 2]);
  return openModel(g.build(), {
    name: 'noisy',
    sha256: '',
    execute: runtime.execute,
    manifest: { inputs: { x: { bounds: 'unbounded', layout: 'NC' } }, output: { kind: 'logits' } },
  });
}

const additive = (g: GraphBuilder, x: string): string => g.op('Add', [x, g.op('RandomNormalLike', [x], { scale: float(0.5) })]);
const dropout = (g: GraphBuilder, x: string): string =>
  g.op('Dropout', [x, g.number(0.4), g.constant(tensor('bool', [], Uint8Array.of(1)))]);
/** One draw of three numbers for all samples of a run. */
const shared = (g: GraphBuilder, x: string): string => g.op('Add', [x, g.op('RandomNormal', [], { shape: [3] })]);
const flips = (g: GraphBuilder, x: string): string => g.op('Mul', [x, g.op('Bernoulli', [g.op('Sigmoid', [x])])]);

const points: readonly Probe[] = Array.from({ length: 7 }, (_, of) => ({
  of,
  inputs: { x: Float32Array.of(of / 3, 1 - of, 0.5) },
}));
/** Streams by the point itself, so that it may stand anywhere in the batch. */
const named: Pick<OracleOptions, 'random'> = { random: (of) => stream(3, `point ${of}`) };
const oracleOf = (model: Model, options: Partial<OracleOptions> = {}): GradientOracle =>
  createOracle(openSessions(model, runtime), { maxBatch: 4, ...named, ...options });
const product = (x: Float32Array): number[] => plain.map((row) => row.reduce((sum, w, i) => sum + w * x[i]!, 0));

describe('a model that draws random numbers', () => {
  it('says so when it is opened, and is not taken for one that couples its batch', async () => {
    const model = await modelOf(dropout);
    expect(model.inferred.filter((said) => said.includes('random'))).toEqual([
      expect.stringMatching(/^the model draws random numbers, at Dropout "Dropout_0".*: they are fed from streams of the seed/),
    ]);
    expect(model.coupling).toBe('none');
    expect(Object.keys(model.inputs)).toEqual(['x']);
    expect(Object.values(model.randoms!)).toMatchObject([{ kind: 'uniform', shape: [3], layout: 'NB' }]);
  });

  it('answers a linear model with noise by its expectation, up to the error of the mean', async () => {
    const draws = 400;
    const oracle = oracleOf(await modelOf(additive), { draws });
    const { logits, gradient } = await oracle.gradient(
      points,
      points.map(() => ({ label: 0, linear: Float32Array.of(1, 0) })),
    );
    for (const [k, { inputs }] of points.entries()) {
      for (const [c, expected] of product(inputs.x!).entries()) {
        const error = (0.5 * Math.hypot(...plain[c]!)) / Math.sqrt(draws);
        expect(Math.abs(logits[k]![c]! - expected)).toBeLessThan(4 * error);
        expect(Math.abs(logits[k]![c]! - expected)).toBeGreaterThan(0);
      }
      for (const [i, w] of plain[0]!.entries()) expect(gradient[k]!.x![i]).toBeCloseTo(w, 5);
    }
  });

  it('has through dropout the gradient w / (1 - p) or 0 of each draw, and w in the mean', async () => {
    const model = await modelOf(dropout);
    const loss = { label: 0, linear: Float32Array.of(1, 0) };
    const slope = async (oracle: GradientOracle) => (await oracle.gradient(points.slice(0, 1), [loss])).gradient[0]!.x!;
    const once = await slope(oracleOf(model));
    for (const [i, w] of plain[0]!.entries()) expect([0, w / 0.6].some((v) => Math.abs(v - once[i]!) < 1e-5)).toBe(true);
    const draws = 600;
    const often = await slope(oracleOf(model, { draws }));
    for (const [i, w] of plain[0]!.entries()) {
      const deviation = Math.abs(w) * Math.sqrt(0.4 / 0.6);
      expect(Math.abs(often[i]! - w)).toBeLessThan((4 * deviation) / Math.sqrt(draws));
    }
  });

  it.each([
    ['additive noise', additive, 'N'],
    ['dropout', dropout, 'N'],
    ['one draw for all samples of a run', shared, 'N'],
    ['Bernoulli', flips, 'N'],
    ['a batch fixed at 1', additive, 1],
    ['a batch fixed at 3', dropout, 3],
  ] as const)('%s: answers bit for bit the same in any batch and order, and again', async (_, noisy, batch) => {
    const model = await modelOf(noisy, batch);
    const losses = points.map(({ of }) => (of % 2 === 0 ? { label: 0, ce: 1 } : { label: 1, margin: -1 }));
    const ask = async (oracle: GradientOracle, order: readonly number[]) => {
      const answers: Record<number, unknown[]> = {};
      for (let round = 0; round < 2; round++) {
        const asked = await oracle.gradient(
          order.map((k) => points[k]!),
          order.map((k) => losses[k]!),
        );
        const labels = await oracle.labels(order.map((k) => points[k]!));
        for (const [i, k] of order.entries()) {
          answers[k] ??= [];
          answers[k].push(asked.loss[i], asked.logits[i], asked.gradient[i], labels[i]);
        }
      }
      return answers;
    };
    const all = points.map(({ of }) => of);
    for (const draws of [1, 5]) {
      const expected = await ask(oracleOf(model, { draws }), all);
      expect(expected[0]![1]).not.toEqual(expected[0]![5]);
      expect(await ask(oracleOf(model, { draws, maxBatch: 64 }), [...all].reverse())).toEqual(expected);
      const alone = oracleOf(model, { draws, maxBatch: 1 });
      for (const k of all) expect(await ask(alone, [k])).toEqual({ [k]: expected[k] });
    }
  });

  it('counts every draw as a pass, and a question as a query', async () => {
    const oracle = oracleOf(await modelOf(additive), { queryBudget: 3 });
    const twenty = oracle.drawing!(20);
    await twenty.gradient(
      [points[0]!, points[1]!, points[0]!],
      Array.from({ length: 3 }, () => ({ label: 0, ce: 1 })),
    );
    await oracle.logits([points[1]!]);
    expect(oracle.counts(0)).toEqual({ forwards: 40, backwards: 40, queries: 2 });
    expect(twenty.counts(1)).toEqual({ forwards: 21, backwards: 20, queries: 2 });
    await expect(twenty.logits([points[0]!, points[0]!])).rejects.toThrow('sample 0 has used its budget of 3 queries');
  });

  it('never draws the same numbers twice for a sample, however it is asked', async () => {
    const oracle = oracleOf(await modelOf(additive));
    const seen = new Set<number>();
    for (const answer of [
      ...(await oracle.logits([points[0]!, points[0]!])),
      ...(await oracle.drawing!(3).logits([points[0]!])),
      ...(await oracle.logits([points[0]!])),
    ])
      seen.add(answer[0]!);
    expect(seen.size).toBe(4);
  });

  it('is the only kind of model whose oracle offers draws', async () => {
    const still = oracleOf(await modelOf((g, x) => g.op('Tanh', [x])));
    expect(still.drawing).toBeUndefined();
    const random = await modelOf(additive);
    expect(() => oracleOf(random, { draws: 0.5 })).toThrow('draws is 0.5');
  });

  it('lets a straight-through surrogate named after its Bernoulli pass the gradient of the probability', async () => {
    const model = await modelOf((g, x) => g.op('Bernoulli', [g.op('Sigmoid', [x])], {}, 'spikes'));
    const sessions = openSessions(model, runtime, { surrogates: [straightThrough({ name: 'spikes' })] });
    const oracle = createOracle(sessions, { maxBatch: 4 });
    const { gradient } = await oracle.gradient(points.slice(0, 1), [{ label: 0, linear: Float32Array.of(1, 0) }]);
    const s = (v: number): number => 1 / (1 + Math.exp(-v));
    for (const [i, w] of plain[0]!.entries()) {
      const p = s(points[0]!.inputs.x![i]!);
      expect(gradient[0]!.x![i]).toBeCloseTo(w * p * (1 - p), 5);
    }
    await sessions.release();
  });

  it('is exported with its gradient as a function of its draws', async () => {
    const model = await modelOf(dropout);
    const graph = await gradientModel(model, { execute: runtime.execute });
    const [draws] = Object.keys(model.randoms!);
    expect(graph.inputs.map(({ name }) => name).sort()).toEqual([draws, 'label', 'x'].sort());
    const run = (u: number) =>
      runtime.execute(graph, { x: f32([1, 2, 3], [1, 3]), label: i64([0]), [draws!]: f32([u, u, u], [1, 3]) });
    expect(Array.from((await run(0.1)).grad_x!.data as Float32Array, Math.abs)).toEqual([0, 0, 0]);
    expect((await run(0.9)).grad_x!.data).not.toEqual(new Float32Array(3));
  });
});
