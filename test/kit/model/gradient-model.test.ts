import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { opsetOf } from '../../../src/core/onnx/graph.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { gradientModel } from '../../../src/kit/model/gradient-model.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { convolutional, noise, perceptron, weights } from './toys.ts';

const runtime = createRuntime(ort);
const { execute } = runtime;
const open = (graph: Parameters<typeof openModel>[0]) => openModel(graph, { name: 'toy', sha256: '', execute });

/** Probabilities as the only output, two float inputs. */
function twoInputs() {
  const g = graphBuilder();
  const [a, b] = [g.input('a', ['batch', 4]), g.input('b', ['batch', 2])];
  const z = g.op('Add', [
    g.op('MatMul', [a, g.constant(weights('A', [4, 3], 1))]),
    g.op('MatMul', [b, g.constant(weights('B', [2, 3], 1))]),
  ]);
  g.op('Softmax', [z], { axis: 1 }, 'probs');
  g.output('probs', ['batch', 3]);
  return g.build();
}

describe('gradientModel', () => {
  it.each(['ce', 'margin'] as const)('keeps signature and outputs and adds label, loss and gradient (%s)', async (loss) => {
    const model = await open(convolutional());
    const graph = readModel(writeModel(await gradientModel(model, { execute, loss })));
    expect(graph.inputs.map((v) => v.name)).toEqual(['image', 'label']);
    expect(graph.inputs.map((v) => v.dims?.[0])).toEqual(['N', 'N']);
    expect(graph.outputs.map((v) => v.name)).toEqual(['logits', 'loss', 'grad_image']);
    expect(graph.outputs.at(-1)!.dims).toEqual(['N', 3, 8, 8]);
    expect([...graph.opsets.keys()]).toEqual(['']);
    expect(opsetOf(graph)).toBeGreaterThanOrEqual(18);
    expect(opsetOf(graph)).toBeLessThanOrEqual(21);
    expect(graph.irVersion).toBeLessThanOrEqual(10);

    const sessions = openSessions(model, runtime);
    const session = await runtime.open(graph);
    for (const count of [1, 3]) {
      const samples = noise(count, { image: [3, 8, 8] });
      const image = f32(Float32Array.from(samples.flatMap((s) => [...s.image!])), [count, 3, 8, 8]);
      const labels = samples.map((_, n) => n % 4);
      const got = await session.run({ image, label: i64(labels) });
      const want = await createOracle(sessions, { maxBatch: 8 }).gradient(
        samples.map((inputs, of) => ({ of, inputs })),
        labels.map((label) => ({ label, [loss]: 1 })),
      );
      expect(got.loss!.dims).toEqual([count]);
      for (const [n, value] of numbersOf(got.loss!).entries()) expect(value).toBeCloseTo(want.loss[n]!, 5);
      const gradient = numbersOf(got.grad_image!);
      for (const [i, value] of want.gradient.flatMap((g) => [...g.image!]).entries()) expect(gradient[i]).toBeCloseTo(value, 5);
    }
    await session.release();
    await sessions.release();
  });

  it('puts out what the file puts out, not the logits behind it, and one gradient per input asked for', async () => {
    const model = await open(twoInputs());
    const both = await gradientModel(model, { execute });
    expect(both.outputs.map((v) => v.name)).toEqual(['probs', 'loss', 'grad_a', 'grad_b']);
    const one = await gradientModel(model, { execute, wrt: ['b'] });
    expect(one.outputs.map((v) => v.name)).toEqual(['probs', 'loss', 'grad_b']);
    const feeds = {
      a: f32(weights('fa', [2, 4], 1).data, [2, 4]),
      b: f32(weights('fb', [2, 2], 1).data, [2, 2]),
      label: i64([1, 2]),
    };
    const session = await runtime.open(one);
    const { probs, loss, grad_b } = await session.run(feeds);
    await session.release();
    const p = numbersOf(probs!);
    expect(numbersOf(loss!)[0]!).toBeCloseTo(-Math.log(p[1]!), 5);
    expect(numbersOf(loss!)[1]!).toBeCloseTo(-Math.log(p[5]!), 5);
    // d(-log p_y)/db = B (p - onehot_y)
    const w = weights('B', [2, 3], 1).data;
    for (const [n, y] of [1, 2].entries())
      for (const i of [0, 1]) {
        const want = [0, 1, 2].reduce((s, c) => s + w[i * 3 + c]! * (p[n * 3 + c]! - (c === y ? 1 : 0)), 0);
        expect(numbersOf(grad_b!)[n * 2 + i]!).toBeCloseTo(want, 5);
      }
  });

  it('refuses an unknown input and names a likely one', async () => {
    const model = await open(perceptron());
    const error = await gradientModel(model, { execute, wrt: ['y'] }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain('no input "y"');
    expect((error as UserError).remedy).toContain('x');
  });

  it('gives way to names the model uses itself', async () => {
    const g = graphBuilder();
    g.op('MatMul', [g.input('label', ['N', 4]), g.constant(weights('A', [4, 3]))], {}, 'loss');
    g.output('loss', ['N', 3]);
    const graph = await gradientModel(await open(g.build()), { execute });
    expect(graph.inputs.map((v) => v.name)).toEqual(['label', 'label_']);
    expect(graph.outputs.map((v) => v.name)).toEqual(['loss', 'loss_', 'grad_label']);
  });

  it.each([
    [22, 10],
    [23, 11],
    [24, 12],
    [25, 13],
    [26, 13],
  ])('keeps opset %i, as IR version %i, and its gradient predicts the loss nearby', async (opset, irVersion) => {
    const g = graphBuilder({ opset, irVersion });
    const x = g.input('x', ['N', 3, 4]);
    const seen = opset < 23 ? g.op('Sin', [x]) : g.op('Attention', [x, x, x], { q_num_heads: 2, kv_num_heads: 2, is_causal: 1 });
    const normal = opset < 23 ? seen : g.op('RMSNormalization', [seen, g.constant(weights('scale', [4]))]);
    const kept = g.op('Squeeze', [g.op('Slice', [normal, g.ints([2]), g.ints([3]), g.ints([1])]), g.ints([1])]);
    g.op('MatMul', [kept, g.constant(weights('A', [4, 3], 1))], {}, 'logits');
    g.output('logits', ['N', 3]);
    const made = readModel(writeModel(await gradientModel(await open(g.build()), { execute })));
    expect([opsetOf(made), made.irVersion]).toEqual([opset, irVersion]);

    const session = await runtime.open(made);
    const at = Float32Array.from(noise(2, { x: [3, 4] }).flatMap((n) => [...n.x!]));
    const label = i64([0, 2]);
    const { grad_x } = await session.run({ x: f32(at, [2, 3, 4]), label });
    const gradient = numbersOf(grad_x!);
    const steepest = Math.hypot(...gradient);
    const totalAt = async (step: number): Promise<number> => {
      const moved = at.map((v, i) => v + (step * gradient[i]!) / steepest);
      const { loss } = await session.run({ x: f32(moved, [2, 3, 4]), label });
      return numbersOf(loss!).reduce((a, b) => a + b, 0);
    };
    const h = 1e-2;
    expect(((await totalAt(h)) - (await totalAt(-h))) / (2 * h) / steepest).toBeCloseTo(1, 2);
    await session.release();
  });
});
