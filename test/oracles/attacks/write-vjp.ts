/**
 * Writes our own vector-Jacobian product beside every net of test/fixtures/attacks/nets: NAME.vjp.onnx, whose inputs are those of the net and
 * "cotangent_logits", and whose outputs are "logits" and "grad_INPUT". The peers' backward pass is this file (shared.py).
 * Run: npx tsx test/oracles/attacks/write-vjp.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';

const folder = new URL('../../fixtures/attacks/nets/', import.meta.url);
const { execute } = createRuntime(ort);
for (const file of readdirSync(folder).filter((f) => /^[\w-]+\.onnx$/.test(f))) {
  const net = readModel(readFileSync(new URL(file, folder)));
  const wrt = net.inputs.map((v) => v.name);
  // the form of no particular provider: plain operators, which any runtime reads
  const made = await gradient(await prepare(net, execute), execute, { of: ['logits'], wrt, cotangents: true, provider: 'wasm' });
  const g = graphBuilder({ from: made.graph });
  for (const name of wrt) {
    const { dims } = net.inputs.find((v) => v.name === name)!;
    g.output(g.op('Identity', [made.gradients[name]!], {}, `grad_${name}`), dims!);
  }
  const kept = new Set(['logits', ...wrt.map((name) => `grad_${name}`)]);
  const whole = g.build();
  writeFileSync(
    new URL(file.replace('.onnx', '.vjp.onnx'), folder),
    writeModel({ ...whole, outputs: whole.outputs.filter((v) => kept.has(v.name)) }),
  );
}
