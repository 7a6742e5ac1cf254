import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { sizeOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../../src/kit/model/make-oracle.ts';
import { readManifest } from '../../../../src/kit/model/manifest.ts';
import type { Sample } from '../../../../src/kit/model/model.ts';
import { openModel } from '../../../../src/kit/model/open.ts';
import { openSessions } from '../../../../src/kit/model/sessions.ts';
import { type Architecture, buildNetwork } from '../../../../src/kit/nn/architecture.ts';
import type { LabelledSet } from '../../../../src/kit/nn/export/evaluate.ts';
import { exportModel } from '../../../../src/kit/nn/export/export.ts';
import { compareLogits, inferenceGraphs, LogitsDiffer } from '../../../../src/kit/nn/export/network.ts';
import { readWeights, type Weights, weightsDigest, withWeights } from '../../../../src/kit/nn/export/weights.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import { sequential } from '../../../../src/kit/nn/net.ts';
import { fgsmOn } from './fgsm.ts';
import { asTrained, cancelling, facts, normalised } from './trained.ts';

const runtime = createRuntime(ort as never, { threads: 1 });
const architecture = normalised();
const weights = asTrained(architecture);
const exported = await exportModel(weights, architecture, { runtime, provenance: facts() });
const open = (onnx = exported.onnx) => openModel(readModel(onnx), { name: 'toy', sha256: '', execute: runtime.execute });

/** Logits of some images, from a graph or bytes. */
async function logitsOf(from: Uint8Array | ReturnType<typeof withWeights>, count: number): Promise<Float32Array> {
  const session = await runtime.open(from);
  const random = stream('images');
  const data = Float32Array.from({ length: count * 192 }, () => random.uniform());
  const out = await session.run({ image: { dtype: 'float32', dims: [count, 3, 8, 8], data } as Tensor });
  await session.release();
  return out.logits!.data as Float32Array;
}

describe('the exported file', () => {
  it('is opset 18 of the default domain with normalisation folded, one output and a symbolic batch', () => {
    const graph = readModel(exported.onnx);
    expect([...graph.opsets]).toEqual([['', 18]]);
    expect(graph.irVersion).toBeLessThanOrEqual(10);
    expect(graph.nodes.map((n) => n.op)).not.toContain('BatchNormalization');
    expect(graph.inputs.map((v) => [v.name, v.dims])).toEqual([['image', ['N', 3, 8, 8]]]);
    expect(graph.outputs.map((v) => [v.name, v.dims])).toEqual([['logits', ['N', 2]]]);
  });

  it('has the logits of the network in inference mode', async () => {
    const wanted = await logitsOf(withWeights(buildNetwork(architecture, { mode: 'inference', seed: 9 }), weights), 5);
    const got = await logitsOf(exported.onnx, 5);
    const scale = Math.max(1, ...wanted.map(Math.abs));
    expect(Math.max(...wanted.map((z, i) => Math.abs(z - got[i]!))) / scale).toBeLessThan(1e-5);
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('judges a sample the same beside any number of others', async () => {
    const [one, seven] = [await logitsOf(exported.onnx, 1), await logitsOf(exported.onnx, 7)];
    expect([...seven.subarray(0, 2)]).toEqual([...one]);
  });

  it('leaves nothing to be inferred, and is attacked as it is', async () => {
    const model = await open();
    expect(model.inferred).toEqual([]);
    expect(model.name).toBe('toy');
    expect(model.inputs.image).toEqual(architecture.inputs.image);
    expect(model.classes).toEqual(['calm', 'tense']);
    expect(model.output).toEqual({ name: 'logits', kind: 'logits' });
    expect(model.coupling).toBe('none');
    expect(model.note).toContain('trained with provoke on faces');
    const { before, after } = await fgsmOn(model, runtime, 0.1);
    expect(after).toBeGreaterThan(before);
  });

  it('says the same in the sidecar as inside', () => {
    const inside = readManifest(readModel(exported.onnx).metadata.get('provoke'), 'inside');
    expect(readManifest(exported.manifest, 'sidecar')).toEqual(inside);
  });

  it('keeps where it comes from in its metadata', () => {
    const held = JSON.parse(readModel(exported.onnx).metadata.get('provenance')!) as Record<string, unknown>;
    expect(held.recipe).toEqual(facts().recipe);
    expect(held.weights).toEqual(exported.provenance.weights);
    expect(held.versions).toEqual(facts().versions);
  });

  it('is the same bytes for the same weights', async () => {
    const again = await exportModel(asTrained(architecture), architecture, { runtime, provenance: facts() });
    expect(Buffer.compare(again.onnx, exported.onnx)).toBe(0);
    expect(again.card).toBe(exported.card);
  });
});

describe('the check inside export', () => {
  it('says how far apart the logits are', () => {
    expect(exported.difference).toMatchObject({ samples: 32, drawn: true });
    expect(exported.difference.largest).toBeLessThan(1e-5);
    expect(exported.card).toContain(`by at most ${exported.difference.largest.toExponential(1)}, relative to`);
  });

  it('refuses a file whose weights are not those that were trained', async () => {
    const { trained } = await inferenceGraphs(architecture, weights, { runtime });
    const other = await exportModel(asTrained(architecture, 2), architecture, { runtime, provenance: facts() });
    await expect(compareLogits({ trained, exported: other.onnx, architecture }, { runtime })).rejects.toThrow(
      /differs from the trained one by \d\.\d+e[+-]\d+ of the largest logit \(over 32 samples; 0\.00001 is allowed\)/,
    );
  });

  it('finds one weight that moved a little', async () => {
    const { trained } = await inferenceGraphs(architecture, weights, { runtime });
    const name = Object.keys(weights).find((n) => n.endsWith('running_var'))!;
    const moved = { ...weights[name]!, data: weights[name]!.data.map((v, i) => (i === 0 ? v * 1.01 : v)) };
    const other = await exportModel({ ...weights, [name]: moved }, architecture, { runtime, provenance: facts() });
    await expect(compareLogits({ trained, exported: other.onnx, architecture }, { runtime })).rejects.toThrow(/differs/);
  });

  it('refuses a file that folding made inexact, and says how to export it; unfolded it is written', async () => {
    const body = sequential(
      flatten,
      cancelling(4, (initialiseBias) => dense(4, { initialiseBias })),
      dense(2),
    );
    const inexact: Architecture = { ...architecture, write: (net, inputs) => body(net, inputs.image!) };
    const { graph, parameters, statistics } = buildNetwork(inexact, { mode: 'inference', seed: 1 });
    const first = Object.fromEntries([...parameters, ...statistics.keys()].map((name) => [name, graph.initializers.get(name)!]));
    const attempt = (fold?: boolean) =>
      exportModel(first as Weights, inexact, { runtime, provenance: facts(), ...(fold === undefined ? {} : { fold }) });
    const error = await attempt().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(LogitsDiffer);
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining('fold: false'), folded: true });
    expect((error as LogitsDiffer).difference).toBeGreaterThan(1e-5);
    const unfolded = await attempt(false);
    expect(unfolded.difference.largest).toBeLessThan(1e-5);
    expect(unfolded.provenance.exported.folded).toBe(false);
    expect(unfolded.card).toContain('normalisation as it was trained');
  });

  it('compares on the samples it is given', async () => {
    const samples = Array.from({ length: 3 }, (_, i) => ({ image: new Float32Array(192).fill(i / 3) }));
    const made = await exportModel(weights, architecture, { runtime, provenance: facts(), samples });
    expect(made.difference).toMatchObject({ samples: 3, drawn: false });
    expect(made.card).toContain('on 3 validation samples');
  });
});

describe('weights', () => {
  const name = Object.keys(weights)[0]!;
  const { [name]: first, ...others } = weights;

  it('have to be those of the network', async () => {
    const attempt = (w: typeof weights) => exportModel(w, architecture, { runtime, provenance: facts() });
    await expect(attempt(others as never)).rejects.toThrow(`"${name}" of normalised has no value`);
    await expect(attempt({ ...weights, extra: first! })).rejects.toThrow('normalised has no weight "extra"');
    const flat = { ...first!, dims: [sizeOf(first!.dims)] };
    await expect(attempt({ ...weights, [name]: flat })).rejects.toThrow(`"${name}" of normalised is float32 [6,3,3,3]`);
    const broken = { ...first!, data: first!.data.map((v, i) => (i === 7 ? Number.NaN : v)) };
    await expect(attempt({ ...weights, [name]: broken })).rejects.toThrow(`"${name}" of normalised holds NaN at position 7`);
  });

  it('come back from the .npz bit for bit, under their training names', async () => {
    const back = readWeights(exported.weights, architecture, 'w.npz');
    expect(Object.keys(back).sort()).toEqual(Object.keys(weights).sort());
    for (const [n, w] of Object.entries(weights)) expect(back[n]).toEqual(w);
    expect(await weightsDigest(back)).toBe(exported.provenance.weights.sha256);
  });

  it('of another network are refused by the reader, which names the file', () => {
    expect(() => readWeights(exported.weights, normalised(['a', 'b', 'c']), 'w.npz')).toThrow(
      /^w\.npz: "7\.weight" of normalised is float32 \[3,72\], the value given is float32 \[2,72\]/,
    );
    expect(() => readWeights(exported.weights.slice(0, 100), architecture, 'w.npz')).toThrow(/w\.npz/);
  });

  it('have a digest that their order leaves as it is, and one bit changes', async () => {
    const turned = Object.fromEntries(Object.entries(weights).reverse());
    expect(await weightsDigest(turned)).toBe(await weightsDigest(weights));
    const moved = { ...first!, data: first!.data.map((v, i) => (i === 0 ? v + 2 ** -20 : v)) };
    expect(await weightsDigest({ ...weights, [name]: moved })).not.toBe(await weightsDigest(weights));
  });
});

describe('figures', () => {
  it('are those of the exported file', async () => {
    const sessions = openSessions(await open(), runtime);
    const oracle = createOracle(sessions, { maxBatch: 16 });
    const random = stream('set');
    const samples = Array.from({ length: 70 }, (_, i): Sample => {
      const image = Float32Array.from({ length: 192 }, () => random.uniform());
      return { id: `${i}`, group: `g${i % 7}`, label: random.integer(2), inputs: { image } };
    });
    const logits = await oracle.logits(samples.map((s, of) => ({ of, inputs: s.inputs })));
    await sessions.release();
    const wanted = [
      [0, 0],
      [0, 0],
    ];
    for (const [i, s] of samples.entries()) wanted[s.label!]![logits[i]![0]! >= logits[i]![1]! ? 0 : 1]!++;
    const test: LabelledSet = { name: 'set', count: 70, sha256: '', sample: async (i) => samples[i]! };
    const made = await exportModel(weights, architecture, { runtime, provenance: facts(), evaluate: { test } });
    expect(made.provenance.evaluations).toMatchObject([{ split: 'test', n: 70, groups: 7, confusion: wanted }]);
    const right = wanted[0]![0]! + wanted[1]![1]!;
    expect(made.card).toContain(`Accuracy ${((100 * right) / 70).toFixed(1)} %`);
  });
});
