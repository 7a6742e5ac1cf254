/** @file Models in float16, float64 and integers, as exporters and quantisers write them (test/oracles/types): they run as they are, and have a gradient. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { UserError } from '../../../src/core/errors.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { halfToNumber } from '../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Model } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import type { Probe } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { disagreement, relativeL2 } from '../../core/autodiff/agreement.ts';

const runtime = createRuntime(ort);
const fixture = (path: string): Uint8Array => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url));

interface Case {
  readonly input: string;
  /** Two samples. */
  readonly x: readonly number[];
  /** Of each class's logit, in the sum that is differentiated. */
  readonly weights: readonly number[];
  readonly logits: readonly number[];
  readonly gradient: readonly number[];
}
const { cases } = JSON.parse(new TextDecoder().decode(fixture('gradients/types.json'))) as { cases: Record<string, Case> };

const open = (name: string): Promise<Model> =>
  openModel(readModel(fixture(`onnx/types/${name}.onnx`), { source: name }), { name, sha256: name, execute: runtime.execute });

const probesOf = ({ input, x }: Case): Probe[] =>
  [0, 1].map((of) => ({ of, inputs: { [input]: Float32Array.from(x.slice((of * x.length) / 2, ((of + 1) * x.length) / 2)) } }));

const flat = (rows: readonly Float32Array[]): number[] => rows.flatMap((row) => [...row]);

/** What the runtime makes of the file itself, untouched. */
async function asDeployed(name: string, { x }: Case): Promise<number[]> {
  const session = await ort.InferenceSession.create(fixture(`onnx/types/${name}.onnx`), { intraOpNumThreads: 1 });
  const [input] = session.inputMetadata;
  if (!input?.isTensor) throw new Error('not a tensor');
  const dims = [2, ...input.shape.slice(1)] as number[];
  const fed = {
    float16: () => new ort.Tensor('float16', Uint16Array.from(x, halfBits), dims),
    float64: () => new ort.Tensor('float64', Float64Array.from(x), dims),
    float32: () => new ort.Tensor('float32', Float32Array.from(x), dims),
  }[input.type as 'float16' | 'float32' | 'float64']();
  const { data, type } = (await session.run({ [input.name]: fed })).logits!;
  await session.release();
  return Array.from(data as Float32Array | Uint16Array, (v) => (type === 'float16' ? halfToNumber(v) : Math.fround(v)));
}

const halves = new Map(Array.from({ length: 65536 }, (_, bits) => [halfToNumber(bits), bits]));

/** The bits of a number that is a float16. */
function halfBits(value: number): number {
  const bits = halves.get(value);
  if (bits === undefined) throw new Error(`${value} is no float16`);
  return bits;
}

type Answers = Awaited<ReturnType<typeof askOnce>>;
const answers = new Map<string, Promise<Answers>>();

/** Logits and gradient of a model at the recorded point, asked once for all tests. */
function ask(name: string, c: Case): Promise<Answers> {
  const known = answers.get(name) ?? askOnce(name, c);
  answers.set(name, known);
  return known;
}

async function askOnce(name: string, c: Case) {
  const model = await open(name);
  const sessions = openSessions(model, runtime);
  const oracle = createOracle(sessions, { maxBatch: 8 });
  const probes = probesOf(c);
  const logits = flat(await oracle.logits(probes));
  const answer = await oracle.gradient(
    probes,
    probes.map(() => ({ label: 0, linear: Float32Array.from(c.weights) })),
  );
  const { cuts, substitutes } = await sessions.gradient();
  await sessions.release();
  const gradient = answer.gradient.flatMap((g) => [...g[c.input]!]);
  return { model, logits, answer, gradient, cuts, substitutes };
}

const named = (...parts: string[]) => Object.entries(cases).filter(([name]) => parts.some((part) => name.startsWith(part)));
const runnable = Object.entries(cases).filter(([name]) => name !== 'double-faces');
const copies = named('half', 'qdq', 'operators', 'dynamic');

describe('models in other element types', () => {
  it.each(runnable)('%s is judged as the runtime judges the file itself, by the gradient session too', async (name, c) => {
    const { logits, answer } = await ask(name, c);
    const deployed = await asDeployed(name, c);
    expect(logits).toEqual(deployed);
    expect(flat(answer.logits)).toEqual(deployed);
  });

  it.each(runnable)('%s has the gradient PyTorch finds in float64', async (name, c) => {
    const { gradient, cuts } = await ask(name, c);
    expect(cuts).toEqual([]);
    expect(disagreement(gradient, c.gradient)).toBeUndefined();
  });

  it.each(copies)('%s says what its gradient is taken of, in the model and with every result', async (name, c) => {
    const { model, substitutes } = await ask(name, c);
    const kind = name.startsWith('half') ? 'float16' : 'quantised';
    expect(substitutes.at(-1)).toEqual({
      label: `float32 copy of a ${kind} model`,
      at: name.startsWith('half') && !name.endsWith('io') ? 'logits_as_float32_0' : 'logits',
    });
    expect(model.inferred.at(-1)).toBe(`the file runs as it is; its gradient is that of a float32 copy of a ${kind} model`);
    const rounding = substitutes.slice(0, -1).map((s) => s.label);
    if (kind === 'float16') expect(rounding).toEqual([]);
    else expect(rounding).toContain('straight-through, zero where it saturates');
    expect(rounding.includes('range of the quantisation held fixed')).toBe(name.startsWith('dynamic'));
  });

  it.each(named('faces', 'signals', 'double-inside', 'double-dynamo'))('%s needs no stand-in', async (name, c) => {
    const { model, substitutes } = await ask(name, c);
    expect(model.floatCopy).toBeUndefined();
    expect(substitutes).toEqual([]);
  });

  it.each(copies.filter(([name]) => !name.startsWith('dynamic')))(
    '%s: a sample has the same bits alone and among others',
    async (name, c) => {
      const sessions = openSessions(await open(name), runtime);
      const oracle = createOracle(sessions, { maxBatch: 8 });
      const losses = (count: number) => Array.from({ length: count }, () => ({ label: 1, ce: 1 }));
      const [first, second] = probesOf(c) as [Probe, Probe];
      const crowd = [second, second, first, second, first];
      const alone = await oracle.gradient([first], losses(1));
      const among = await oracle.gradient(crowd, losses(5));
      await sessions.release();
      expect(among.logits[2]).toEqual(alone.logits[0]);
      expect(among.gradient[2]).toEqual(alone.gradient[0]);
      expect(among.gradient[4]).toEqual(alone.gradient[0]);
    },
  );

  it.each(named('dynamic'))('%s shares one range over the batch, so its batch is coupled', async (name) => {
    expect((await open(name)).coupling).toBe('batch');
  });

  it('a sample of a model with a range of its own per run is judged alone where the manifest and the batch say so', async () => {
    const [name, c] = named('dynamic-signals')[0]!;
    const graph = readModel(fixture(`onnx/types/${name}.onnx`), { source: name });
    const model = await openModel(graph, { name, sha256: name, execute: runtime.execute, manifest: { coupling: 'none' } });
    const sessions = openSessions(model, runtime);
    const oracle = createOracle(sessions, { maxBatch: 1 });
    const [first, second] = probesOf(c) as [Probe, Probe];
    const [alone] = await oracle.logits([second]);
    const [, among] = await oracle.logits([first, second]);
    await sessions.release();
    expect(among).toEqual(alone);
    expect([...alone!]).not.toEqual(flat((await ask(name, c)).answer.logits).slice(3));
  });

  it.each(copies)('%s: the copy computes what the file computes, up to rounding', async (name, c) => {
    const { floatCopy } = await open(name);
    const { graph, outputs } = { graph: floatCopy!.twin.graph, outputs: floatCopy!.twin.graph.outputs };
    const x = {
      dtype: 'float32',
      dims: [2, ...(c.input === 'image' ? [3, 8, 8] : [6, 5])],
      data: Float32Array.from(c.x),
    } as const;
    const results = await runtime.execute(graph, { [c.input]: x });
    const deployed = await asDeployed(name, c);
    expect(relativeL2(results[outputs[0]!.name]!.data as Float32Array, deployed)).toBeLessThan(
      name.startsWith('half') ? 2e-3 : 1e-5,
    );
    expect(new Set(graph.nodes.map((n) => n.op))).not.toContain('QuantizeLinear');
    expect([...graph.initializers.values()].map((t) => t.dtype)).not.toContain('float16');
  });

  it('a convolution in float64, which the runtime cannot run, is refused by name', async () => {
    const refusal = (await open('double-faces').catch((error: unknown) => error)) as UserError;
    expect(refusal.message).toBe(
      'the model cannot be run: the runtime has no kernel for Conv "node_conv2d" (output "conv2d") in float64',
    );
    expect(refusal.remedy).toBe('export the model in float32 (PyTorch: model.float() before the export)');
  });
});
