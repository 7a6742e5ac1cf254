import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { Loss } from '../../../src/kit/losses/loss.ts';
import { scoreLoss } from '../../../src/kit/losses/score-loss.ts';
import { chunks } from '../../../src/kit/model/batches.ts';
import {
  createOracle,
  decisionView,
  type OracleOptions,
  QueryBudgetExceeded,
  scoreView,
} from '../../../src/kit/model/make-oracle.ts';
import type { Inputs, Model } from '../../../src/kit/model/model.ts';
import { needsPairs } from '../../../src/kit/model/pairs.ts';
import { predict } from '../../../src/kit/model/predict.ts';
import { type ModelSessions, openSessions } from '../../../src/kit/model/sessions.ts';
import { convolutional, features, modelOf, noise, perceptron, timeFirst, timeMean, weights } from './toys.ts';

const runtime = createRuntime(ort);
const opened: ModelSessions[] = [];
const open = (model: Model): ModelSessions => {
  const sessions = openSessions(model, runtime);
  opened.push(sessions);
  return sessions;
};
afterAll(async () => {
  for (const sessions of opened) await sessions.release();
});
const oracleOf = (model: Model, options: Partial<OracleOptions> = {}) => createOracle(open(model), { maxBatch: 8, ...options });
const asked = (samples: readonly Inputs[]) => samples.map((inputs, of) => ({ of, inputs }));

/** x [N, 5] times weights that are an input of their own, shared by all samples of a run. */
function fedWeights(): Model {
  const g = graphBuilder();
  g.op('MatMul', [g.input('x', ['N', 5]), g.input('w', [5, 3])], {}, 'logits');
  g.output('logits', ['N', 3]);
  return modelOf(g.build(), { x: features([5]), w: features([5, 3], 'KC', { role: 'given' }) }, 3);
}

/** [h, x] over two inputs, one given and integer. */
function twoInputs(): Model {
  const g = graphBuilder();
  const [x, k] = [g.input('x', ['N', 4]), g.input('k', ['N'], 'int64')];
  const shift = g.op('Gather', [g.constant(weights('table', [5, 3], 1)), k]);
  g.op('Add', [g.op('MatMul', [x, g.constant(weights('W', [4, 3]))]), shift], {}, 'logits');
  g.output('logits', ['N', 3]);
  return modelOf(g.build(), { x: features([4]), k: features([], 'N', { dtype: 'int64', role: 'given' }) }, 3);
}

const cases: [string, Model, Readonly<Record<string, readonly number[]>>][] = [
  ['a perceptron', modelOf(perceptron(), { x: features([5]) }, 3), { x: [5] }],
  ['a convolutional net', modelOf(convolutional(), { image: features([3, 8, 8], 'NCHW') }, 4), { image: [3, 8, 8] }],
  ['a model with a mean over time', modelOf(timeMean(), { x: features([50, 5], 'NTC') }, 3), { x: [50, 5] }],
  ['a model with time first', modelOf(timeFirst(), { x: features([7, 5], 'TNC') }, 3), { x: [7, 5] }],
];

describe.each(cases)('the oracle of %s', (_, model, shapes) => {
  const samples = noise(37, shapes);
  const classes = model.classes.length;
  const losses = samples.map(
    (_s, n): Loss =>
      n % 3 === 0
        ? { label: n % classes, ce: 1 }
        : n % 3 === 1
          ? { label: n % classes, margin: -1 }
          : { label: n % classes, dlr: 1 },
  );

  it('answers bit for bit the same for batches of 1, 2, 8 and 37', async () => {
    const sessions = open(model);
    const answers = [];
    for (const maxBatch of [37, 1, 2, 8]) {
      const oracle = createOracle(sessions, { maxBatch });
      answers.push({ forward: await oracle.logits(asked(samples)), ...(await oracle.gradient(asked(samples), losses)) });
    }
    for (const answer of answers.slice(1)) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.gradient.some((g) => Object.values(g)[0]!.some((v) => v !== 0))).toBe(true);
  });

  it('gives each sample the gradient of its own loss, as finite differences of its logits say', async () => {
    const oracle = oracleOf(model);
    const name = Object.keys(shapes)[0]!;
    const picked = [0, 3, 4, 7];
    const { gradient, loss, logits } = await oracle.gradient(
      picked.map((i) => ({ of: i, inputs: samples[i]! })),
      picked.map((i) => losses[i]!),
    );
    for (const [row, i] of picked.entries()) {
      expect(loss[row]!).toBeCloseTo(scoreLoss(losses[i]!, logits[row]!), 4);
      const x = samples[i]![name]!;
      const axis = (i * 11) % x.length;
      const moved = (d: number) => ({ of: i, inputs: { [name]: x.map((v, j) => (j === axis ? v + d : v)) } });
      const [up, down] = await oracle.logits([moved(1e-2), moved(-1e-2)]);
      const slope = (scoreLoss(losses[i]!, up!) - scoreLoss(losses[i]!, down!)) / 2e-2;
      expect(Math.abs(gradient[row]![name]![axis]! - slope)).toBeLessThan(2e-3);
    }
  });
});

describe('createOracle', () => {
  it('feeds several inputs and casts integers to the type of the graph', async () => {
    const model = twoInputs();
    const x = Float32Array.of(0, 0, 0, 0);
    const [a, b] = await oracleOf(model).logits(
      asked([
        { x, k: Float32Array.of(2) },
        { x, k: Float32Array.of(4) },
      ]),
    );
    const table = weights('table', [5, 3], 1).data;
    expect([...a!]).toEqual([...table.subarray(6, 9)]);
    expect([...b!]).toEqual([...table.subarray(12, 15)]);
    const { gradient } = await oracleOf(model).gradient(asked([{ x, k: Float32Array.of(2) }]), [{ label: 0, ce: 1 }]);
    expect(Object.keys(gradient[0]!)).toEqual(['x']);
  });

  it('never runs a batch of 1 where weights are fed: one sample equals the same sample among others', async () => {
    const model = fedWeights();
    expect(needsPairs(model.graph, ['x'])).toBe(true);
    expect(needsPairs(perceptron(), ['x'])).toBe(false);
    const w = weights('w', [5, 3]).data as Float32Array;
    const samples = noise(9, { x: [5] }).map((s) => ({ ...s, w }));
    expect(chunks(model, samples, { maxBatch: 4, pairs: true }).at(-1)).toEqual({ start: 8, count: 1, size: 2 });
    const oracle = oracleOf(model);
    const together = await oracle.logits(asked(samples));
    for (const [n, sample] of samples.entries()) expect((await oracle.logits(asked([sample])))[0]).toEqual(together[n]);
  });

  it('tells sums over the last axes from others, for which a batch of 1 is another order of summation', async () => {
    expect(needsPairs(timeMean(), ['x'])).toBe(true);
    const graph = convolutional();
    expect(needsPairs(graph, ['image'])).toBe(true);
    expect(needsPairs(graph, ['image'], await inferShapes(graph, runtime.execute))).toBe(false);
  });

  it('never mixes samples that differ in an input they would have to share', async () => {
    const model = fedWeights();
    const [first, second] = [weights('w', [5, 3]).data as Float32Array, weights('other', [5, 3]).data as Float32Array];
    const x = Float32Array.of(1, 0, 0, 0, 0);
    const logits = await oracleOf(model).logits(asked([first, second, first].map((w) => ({ x, w }))));
    expect(logits.map((l) => [...l])).toEqual([first, second, first].map((w) => [...w.subarray(0, 3)]));
  });

  it('pads groups of a fixed batch, and neither counts nor returns the padding', async () => {
    const fixed = modelOf(perceptron(4), { x: features([5]) }, 3, { fixedBatch: 4 });
    const free = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3));
    const samples = noise(6, { x: [5] });
    const oracle = oracleOf(fixed, { maxBatch: 1 });
    const losses = samples.map((): Loss => ({ label: 1, ce: 1 }));
    expect(await oracle.gradient(asked(samples), losses)).toEqual(await free.gradient(asked(samples), losses));
    expect(oracle.counts(5)).toEqual({ forwards: 1, backwards: 1, queries: 1 });
    expect(oracle.counts(6)).toEqual({ forwards: 0, backwards: 0, queries: 0 });
  });

  it('never splits a batch whose samples influence each other', () => {
    const coupled = modelOf(perceptron(), { x: features([5]) }, 3, { coupling: 'batch' });
    expect(chunks(coupled, noise(6, { x: [5] }), { maxBatch: 2, pairs: false })).toEqual([{ start: 0, count: 6, size: 6 }]);
  });

  it('counts per sample: a gradient is a forward, a backward and a query', async () => {
    const oracle = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3), { maxBatch: 2 });
    const [x] = noise(1, { x: [5] });
    const at = (...ofs: number[]) => ofs.map((of) => ({ of, inputs: x! }));
    await oracle.labels(at(0, 0, 1));
    await oracle.logits(at(1));
    await oracle.gradient(at(0, 2), [
      { label: 0, ce: 1 },
      { label: 0, ce: 1 },
    ]);
    expect([0, 1, 2, 3].map((of) => oracle.counts(of))).toEqual([
      { forwards: 3, backwards: 1, queries: 3 },
      { forwards: 2, backwards: 0, queries: 2 },
      { forwards: 1, backwards: 1, queries: 1 },
      { forwards: 0, backwards: 0, queries: 0 },
    ]);
  });

  it('refuses a call that would pass the query budget, and counts nothing of it', async () => {
    const oracle = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3), { queryBudget: 2 });
    const [x] = noise(1, { x: [5] });
    const at = (...ofs: number[]) => ofs.map((of) => ({ of, inputs: x! }));
    await oracle.labels(at(0));
    const refused = await oracle.logits(at(1, 0, 0)).catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(QueryBudgetExceeded);
    expect(refused).toMatchObject({ sample: 0, budget: 2 });
    expect(oracle.counts(1).queries).toBe(0);
    await oracle.logits(at(0));
    await expect(oracle.gradient(at(0), [{ label: 0, ce: 1 }])).rejects.toBeInstanceOf(QueryBudgetExceeded);
  });

  it('stops between chunks when aborted, with the reason of the signal', async () => {
    const controller = new AbortController();
    const sessions = open(modelOf(perceptron(), { x: features([5]) }, 3));
    const oracle = createOracle(sessions, { maxBatch: 1, signal: controller.signal });
    const answer = oracle.logits(asked(noise(50, { x: [5] })));
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 0);
    await expect(answer).rejects.toBe(reason);
    const spent = Array.from({ length: 50 }, (_, of) => oracle.counts(of).forwards).reduce((a, b) => a + b, 0);
    expect(spent).toBeLessThan(50);
  });

  it('hands on values that are not finite', async () => {
    const [logits] = await oracleOf(modelOf(perceptron(), { x: features([5]) }, 3)).logits([
      { of: 0, inputs: { x: new Float32Array(5).fill(Number.NaN) } },
    ]);
    expect([...logits!].every(Number.isNaN)).toBe(true);
  });

  it('names the model and the input a sample does not fit', async () => {
    const oracle = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3));
    await expect(oracle.logits([{ of: 0, inputs: { x: new Float32Array(4) } }])).rejects.toThrow(/toy: input "x".*4 values/);
    await expect(oracle.logits([{ of: 0, inputs: {} }])).rejects.toThrow(/toy: input "x".*no values/);
  });

  it('says when the output is not one row of scores per sample', async () => {
    const wrong = modelOf(perceptron(), { x: features([5]) }, 4);
    await expect(oracleOf(wrong).logits(asked(noise(2, { x: [5] })))).rejects.toThrow(UserError);
  });

  it('opens again after a release', async () => {
    const sessions = open(modelOf(perceptron(), { x: features([5]) }, 3));
    const oracle = createOracle(sessions, { maxBatch: 4 });
    const samples = noise(3, { x: [5] });
    const before = await oracle.logits(asked(samples));
    await sessions.release();
    expect(await oracle.logits(asked(samples))).toEqual(before);
  });
});

describe('views', () => {
  it('lack what they do not offer', async () => {
    const oracle = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3));
    expect(Object.keys(decisionView(oracle)).sort()).toEqual(['classes', 'counts', 'labels']);
    expect(Object.keys(scoreView(oracle)).sort()).toEqual(['classes', 'counts', 'labels', 'logits']);
    const probes = asked(noise(2, { x: [5] }));
    expect(await decisionView(oracle).labels(probes)).toEqual(await oracle.labels(probes));
    expect(decisionView(oracle).counts(0).queries).toBe(2);
  });
});

it('predict gives probabilities that sum to 1 and the class of the largest logit', async () => {
  const oracle = oracleOf(modelOf(perceptron(), { x: features([5]) }, 3));
  const answers = await predict(oracle, noise(4, { x: [5] }));
  for (const { probabilities, prediction, logits } of answers) {
    expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
    expect(probabilities[prediction]).toBe(Math.max(...probabilities));
    expect(Math.log(probabilities[0]! / probabilities[1]!)).toBeCloseTo(logits[0]! - logits[1]!, 10);
  }
});
