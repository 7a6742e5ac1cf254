/**
 * Writes the nets of test/slow/gradients/nets.ts for the PyTorch oracle: per net NAME.onnx, its inputs, cotangent and recorded positions
 * as .npy, and nets.json. Run: npx tsx test/oracles/write-nets.ts FOLDER [NAME...]; then python test/oracles/torch/net_gradients.py FOLDER
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { writeNpy } from '../../src/core/tensor/npy.ts';
import { f32, i64, sizeOf } from '../../src/core/tensor/tensor.ts';
import { cotangentOf, fileOf, inputSample, nets, positionsOf, sizesOf } from '../slow/gradients/nets.ts';

const [folder, ...only] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: write-nets.ts FOLDER [NAME...]');
const { execute } = createRuntime(ort);
await mkdir(folder, { recursive: true });
const written = [];
for (const net of nets) {
  if (only.length > 0 && !only.includes(net.name)) continue;
  const graph = await net.graph(execute);
  const { bytes, sha256 } = fileOf(graph);
  const sample = sizesOf(graph.inputs[0]!.dims!, net.batch).slice(1);
  const inputs = new Float32Array(net.batch * sizeOf(sample));
  for (let i = 0; i < net.batch; i++) inputs.set(inputSample(net, i, sample), i * sizeOf(sample));
  const outputs = await execute(graph, { [graph.inputs[0]!.name]: f32(inputs, [net.batch, ...sample]) });
  const file = net.name.replace('/', '-');
  await writeFile(join(folder, `${file}.onnx`), bytes);
  await writeFile(join(folder, `${file}.inputs.npy`), writeNpy(f32(inputs, [net.batch, ...sample])));
  await writeFile(join(folder, `${file}.cotangent.npy`), writeNpy(cotangentOf(net, outputs[graph.outputs[0]!.name]!.dims)));
  await writeFile(join(folder, `${file}.positions.npy`), writeNpy(i64(positionsOf(net, net.batch * sizeOf(sample)))));
  written.push({ name: net.name, file, batch: net.batch, sha256, labels: net.labels ?? null });
  process.stdout.write(
    `${net.name} ${[...new Set(graph.nodes.map((n) => n.op))].join(' ')} -> ${graph.outputs.map((o) => `${o.name} ${outputs[o.name]!.dims}`)}\n`,
  );
}
await writeFile(join(folder, 'nets.json'), JSON.stringify(written));
