/** What snnTorch, Norse and SpikingJelly export with a time axis is cut into slices, and answers the same bits. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../../src/kit/model/make-oracle.ts';
import { sampleAxis } from '../../../../src/kit/model/model.ts';
import { openModel } from '../../../../src/kit/model/open.ts';
import { openSessions } from '../../../../src/kit/model/sessions.ts';

const runtime = createRuntime(ort, { threads: 1 });

it.each([
  ['norse-lif-module-dynamo18-dynamic', 'TNF', 10],
  ['norse-lif-module-torchscript17', 'TNF', 10],
  ['sj14-conv-torchscript17', 'TNCHW', 0.3],
  ['sj14-residual-torchscript17-dynamic', 'TNCHW', 5],
  ['sj2-residual-dynamo18-dynamic', 'TNCHW', 5],
  ['snn-conv-dynamo18-dynamic', 'NTCHW', 0.5],
  ['snn-conv-torchscript17-dynamic', 'NTCHW', 0.5],
])('%s', async (file, layout, deviation) => {
  const graph = readModel(gunzipSync(readFileSync(`test/fixtures/spiking/exports/${file}.onnx.gz`)));
  const [{ name }] = graph.inputs as [(typeof graph.inputs)[0]];
  const manifest = { inputs: { [name]: { layout } } };
  const model = await openModel(graph, { name: file, sha256: '', execute: runtime.execute, manifest });
  const spec = model.inputs[name]!;
  const axis = sampleAxis(spec, 'T');
  const [steps, each] = [spec.shape[axis]!, sizeOf(spec.shape.slice(axis + 1))];
  const random = stream('export', file);
  const base = Float32Array.from({ length: sizeOf(spec.shape) }, () => deviation * random.normal());
  const probes = Array.from({ length: 4 * steps }, (_, k) => {
    const values = base.slice();
    for (let i = (k % steps) * each; i < values.length; i += 3) values[i] = 2 * deviation * random.normal();
    return { of: 0, inputs: { [name]: values } };
  });
  const sessions = openSessions(model, runtime);
  const [shared, whole] = [true, false].map((shareSteps) => createOracle(sessions, { maxBatch: 8, shareSteps }));
  const answers = await shared!.logits(probes);
  expect(answers).toEqual(await whole!.logits(probes));
  expect(new Set(answers.map(String)).size).toBeGreaterThan(1);
  expect(shared!.counts(0).steps).toBeLessThan(0.86 * probes.length * steps);
  await sessions.release();
});
