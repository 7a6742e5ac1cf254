/** @file Where quantised and float16 models begin and end, and what a user may still choose within them. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { straightThrough } from '../../../src/core/autodiff/substitutes.ts';
import type { UserError } from '../../../src/core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { elementType } from '../../../src/core/onnx/dtypes.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64, tensor } from '../../../src/core/tensor/tensor.ts';
import { describeSubstitutes, elementTypes } from '../../../src/kit/model/element-types.ts';
import { gradientModel, statedSubstitutes } from '../../../src/kit/model/gradient-model.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Model } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions, type SessionOptions } from '../../../src/kit/model/sessions.ts';
import { weights } from './toys.ts';

const runtime = createRuntime(ort);
const open = (graph: Graph): Promise<Model> => openModel(graph, { name: 'toy', sha256: 'toy', execute: runtime.execute });
const x = Float32Array.of(0.3, -0.8, 1.2, 0.05, -0.4);

async function ask(model: Model, options: SessionOptions = {}) {
  const sessions = openSessions(model, runtime, options);
  const oracle = createOracle(sessions, { maxBatch: 4, zeroGradients: true });
  const probes = [{ of: 0, inputs: { x } }];
  const [logits] = await oracle.logits(probes);
  const answer = await oracle.gradient(probes, [{ label: 0, linear: Float32Array.of(1, 0, 0) }]);
  const { cuts, substitutes } = await sessions.gradient();
  await sessions.release();
  return { logits: logits!, gradient: answer.gradient[0]!.x!, cuts, substitutes };
}

const scales = (g: GraphBuilder) => [g.constant(f32([0.02], [])), g.constant(tensor('uint8', [], Uint8Array.of(128)))] as const;
const quantised = (g: GraphBuilder, value: string): string =>
  g.op('DequantizeLinear', [g.op('QuantizeLinear', [value, ...scales(g)]), ...scales(g)]);
const product = (g: GraphBuilder): string =>
  g.op('MatMul', [quantised(g, g.input('x', ['N', 5])), g.constant(weights('W', [5, 3]))]);

describe('the end of a quantised model', () => {
  it('that is a Softmax, quantised itself: the logits lie before it', async () => {
    const ending = (end: (g: GraphBuilder, z: string) => string): Graph => {
      const g = graphBuilder();
      g.op('Identity', [end(g, quantised(g, product(g)))], {}, 'y');
      g.output('y', ['N', 3]);
      return g.build();
    };
    const plain = await open(ending((_, z) => z));
    const soft = await open(ending((g, z) => quantised(g, g.op('Softmax', [z]))));
    expect(soft.output.kind).toBe('probabilities');
    expect(soft.inferred).toContain('output "y": probabilities (it ends in a softmax)');
    expect((await ask(soft)).logits).toEqual((await ask(plain)).logits);
    expect((await ask(soft)).gradient).toEqual((await ask(plain)).gradient);
  });

  it('that is an operator QLinearSoftmax: the logits are its input, dequantised', async () => {
    const g = graphBuilder();
    const q = g.op('QuantizeLinear', [product(g), ...scales(g)]);
    const [s, z] = [g.constant(f32([1 / 256], [])), g.constant(tensor('uint8', [], Uint8Array.of(0)))];
    const inputs = [q, ...scales(g), s, z];
    const attributes = new Map(Object.entries({ axis: -1, opset: 18 }).map(([k, value]) => [k, { type: 'int', value } as const]));
    g.add({ op: 'QLinearSoftmax', domain: 'com.microsoft', name: 'end', inputs, outputs: ['p'], attributes });
    g.op('DequantizeLinear', ['p', s, z], {}, 'y');
    g.output('y', ['N', 3]);
    const built = g.build();
    const model = await open({ ...built, opsets: new Map([...built.opsets, ['com.microsoft', 1]]) });
    expect(model.output.kind).toBe('probabilities');
    const { logits, gradient } = await ask(model);
    expect(Array.from(logits, (v) => Math.abs(v / 0.02 - Math.round(v / 0.02))).every((off) => off < 1e-4)).toBe(true);
    expect(Math.hypot(...gradient)).toBeGreaterThan(0.1);
  });

  it('that is integers: they are read with the scale they were quantised by', async () => {
    const g = graphBuilder();
    g.op('QuantizeLinear', [product(g), ...scales(g)], {}, 'y');
    g.output('y', ['N', 3], 'uint8');
    const model = await open(g.build());
    expect(model.inferred).toContain('output "y": uint8, read with the scale it was quantised by');
    const { logits, gradient } = await ask(model);
    const h = graphBuilder();
    h.op('Identity', [quantised(h, product(h))], {}, 'y');
    h.output('y', ['N', 3]);
    const same = await ask(await open(h.build()));
    expect(logits).toEqual(same.logits);
    expect(gradient).toEqual(same.gradient);
  });
});

describe('the beginning of a quantised model', () => {
  it('that is bytes read with a scale: the gradient is that of the bytes', async () => {
    const g = graphBuilder();
    const picture = g.input('x', ['N', 3, 1, 2], 'uint8');
    const real = g.op('DequantizeLinear', [picture, ...scales(g)]);
    g.op('MatMul', [g.op('Flatten', [quantised(g, real)]), g.constant(weights('V', [6, 3]))], {}, 'y');
    g.output('y', ['N', 3]);
    const model = await open(g.build());
    expect(model.inputs.x).toMatchObject({ dtype: 'float32', bounds: { lower: 0, upper: 255 } });
    const sessions = openSessions(model, runtime);
    const bytes = Float32Array.of(10, 200, 128, 90, 255, 60);
    const answer = await createOracle(sessions, { maxBatch: 1 }).gradient(
      [{ of: 0, inputs: { x: bytes } }],
      [{ label: 0, linear: Float32Array.of(1, 0, 0) }],
    );
    expect((await sessions.gradient()).cuts).toEqual([]);
    await sessions.release();
    const v = weights('V', [6, 3]).data;
    expect([...answer.gradient[0]!.x!]).toEqual(Array.from(bytes, (_, i) => expect.closeTo(0.02 * v[3 * i]!, 7)));
  });
});

describe('a choice of the user inside a float16 model', () => {
  const stepped = (): Graph => {
    const g = graphBuilder();
    const half = g.op('Cast', [g.input('x', ['N', 5])], { to: elementType('float16') });
    const scaled = g.op('Mul', [half, g.constant(tensor('float16', [], Uint16Array.of(0x4900)))]);
    g.add({ op: 'Round', domain: '', name: 'steps', inputs: [scaled], outputs: ['whole'], attributes: new Map() });
    const back = g.op('Cast', ['whole'], { to: elementType('float32') });
    g.op('MatMul', [back, g.constant(weights('W', [5, 3]))], {}, 'y');
    g.output('y', ['N', 3]);
    return g.build();
  };

  it('is asked for where the gradient ends, and taken by the name the file gives the node', async () => {
    const model = await open(stepped());
    const cut = await ask(model);
    expect(cut.cuts).toEqual([{ node: 'steps', op: 'Round' }]);
    expect(Math.hypot(...cut.gradient)).toBe(0);
    for (const match of [{ name: 'steps' }, { pattern: /^steps$/ }, { op: 'Round' }]) {
      const { gradient, cuts, substitutes } = await ask(model, { surrogates: [straightThrough(match)] });
      expect(cuts).toEqual([]);
      expect(substitutes).toContainEqual({ label: 'straight-through', at: 'steps' });
      const w = weights('W', [5, 3]).data;
      for (const [i, slope] of gradient.entries()) expect(slope).toBeCloseTo(10 * w[3 * i]!, 5);
    }
  });
});

describe('a float16 model that the runtime cannot run', () => {
  it('is attacked as a float32 copy, and that is said', async () => {
    const g = graphBuilder();
    const half = g.op('Cast', [g.input('x', ['N', 5])], { to: elementType('float16') });
    const rows = g.op(
      'ScatterElements',
      [
        half,
        g.op('Cast', [g.op('Mul', [half, g.constant(tensor('float16', [], Uint16Array.of(0)))])], { to: elementType('int64') }),
        half,
      ],
      { axis: 1, reduction: 'add' },
    );
    const sums = g.op('Cast', [rows], { to: elementType('float32') });
    g.op('MatMul', [sums, g.constant(weights('W', [5, 3]))], {}, 'y');
    g.output('y', ['N', 3]);
    const model = await open(g.build());
    expect(model.inferred.join('\n')).toMatch(/float16: .*a float32 copy is attacked in place of the file/);
    expect(model.floatCopy).toBeUndefined();
    expect(elementTypes(model)).toEqual(['float32']);
    expect((await ask(model)).cuts).toEqual([]);
  });
});

describe('a gradient file', () => {
  it('of a quantised model keeps its integers forward, states what stands in, and is read again', async () => {
    const g = graphBuilder();
    g.op('Identity', [quantised(g, product(g))], {}, 'y');
    g.output('y', ['N', 3]);
    const model = await open(g.build());
    const bytes = writeModel(await gradientModel(model, { execute: runtime.execute, loss: 'margin' }));
    const written = readModel(bytes, { source: 'gradient.onnx' });
    expect(written.nodes.filter((n) => n.op === 'QuantizeLinear')).toHaveLength(2);
    expect(describeSubstitutes(statedSubstitutes(written))).toEqual([
      'straight-through, zero where it saturates at QuantizeLinear_1, QuantizeLinear_0',
      'float32 copy of a quantised model at y',
    ]);
    const session = await runtime.open(bytes);
    const results = await session.run({ x: f32(x, [1, 5]), label: i64([0]) });
    await session.release();
    const { logits, gradient } = await ask(model);
    const rival = logits[1]! > logits[2]! ? 1 : 2;
    const w = weights('W', [5, 3]).data;
    expect(results.y!.data).toEqual(logits);
    for (const [i, slope] of (results.grad_x!.data as Float32Array).entries()) {
      expect(gradient[i]).toBeCloseTo(w[3 * i]!, 6);
      expect(slope).toBeCloseTo(w[3 * i]! - w[3 * i + rival]!, 6);
    }
    await expect(
      openModel(written, { name: 'again', sha256: '', execute: runtime.execute, outputName: 'y' }),
    ).resolves.toBeDefined();
  });

  it('cannot be written where the model itself needs operators of another domain, and says what to do', async () => {
    const g = graphBuilder();
    const q = g.op('QuantizeLinear', [product(g), ...scales(g)]);
    const inputs = [q, ...scales(g), q, ...scales(g), ...scales(g)];
    g.add({ op: 'QLinearAdd', domain: 'com.microsoft', name: 'twice', inputs, outputs: ['sum'], attributes: new Map() });
    g.op('DequantizeLinear', ['sum', ...scales(g)], {}, 'y');
    g.output('y', ['N', 3]);
    const built = g.build();
    const model = await open({ ...built, opsets: new Map([...built.opsets, ['com.microsoft', 1]]) });
    const refusal = (await gradientModel(model, { execute: runtime.execute }).catch((error: unknown) => error)) as UserError;
    expect(refusal.message).toContain(
      'com.microsoft::QLinearAdd "twice" (output "sum") of toy is not an operator of the default',
    );
    expect(refusal.remedy).toBe('quantise the model with QDQ nodes');
  });
});

describe('in words', () => {
  it('the types a model computes in are named, the most frequent first', async () => {
    const g = graphBuilder();
    const half = g.op('Cast', [g.input('x', ['N', 5])], { to: elementType('float16') });
    const squashed = g.op('Cast', [g.op('Tanh', [g.op('Neg', [half])])], { to: elementType('float32') });
    g.op('MatMul', [squashed, g.constant(weights('W', [5, 3]))], {}, 'y');
    g.output('y', ['N', 3]);
    expect(elementTypes(await open(g.build()))).toEqual(['float16', 'float32']);
  });

  it('many places of one stand-in are counted', () => {
    const at = ['a', 'b', 'c', 'd', 'e'].map((place) => ({ label: 'straight-through', at: place }));
    expect(describeSubstitutes([...at, { label: 'twin', at: 'y' }])).toEqual([
      'straight-through at a, b, c and 2 more',
      'twin at y',
    ]);
  });
});
