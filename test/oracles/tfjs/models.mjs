/**
 * Whole graph models of @vladmandic/human executed by TensorFlow.js, for test/fixtures/tfjs/models.json.
 * Versions: @tensorflow/tfjs 4.22.0 (CPU backend), @vladmandic/human 3.3.6, Node 20.
 * usage: node models.mjs FOLDER   where those packages are installed in FOLDER; the JSON goes to standard output
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const require = createRequire(join(folder, 'index.js'));
const tf = require('@tensorflow/tfjs');
await tf.setBackend('cpu');
await tf.ready();

/** The closed-form picture of the face fixtures, times `scale`. */
function picture(side, scale) {
  const data = new Float32Array(side * side * 3);
  let at = 0;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < 3; c++)
        data[at++] = ((x * (3 + c) + y * (5 - c) + ((x * x + 3 * y * y + x * y) >> 5) + 37 * c) & 255) * scale;
  return data;
}

const names = ['antispoof', 'blazeface', 'facemesh', 'faceres', 'handlandmark-lite', 'iris', 'liveness', 'movenet-lightning'];
const result = [];
for (const name of names) {
  const path = (file) => join(folder, 'node_modules/@vladmandic/human/models', file);
  const json = JSON.parse(readFileSync(path(`${name}.json`), 'utf8'));
  const bytes = readFileSync(path(`${name}.bin`));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const weightSpecs = json.weightsManifest.flatMap((g) => g.weights);
  const model = await tf.loadGraphModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData }));
  const nodes = json.modelTopology.node;
  const read = new Set(nodes.flatMap((n) => (n.input ?? []).map((i) => i.split(':')[0])));
  const outputs = nodes.filter((n) => !read.has(n.name) && n.op !== 'Const' && n.op !== 'Placeholder').map((n) => n.name);
  const input = nodes.find((n) => n.op === 'Placeholder');
  const side = Number(input.attr.shape.shape.dim[1].size);
  const integer = input.attr.dtype.type === 'DT_INT32';
  const scale = integer ? 1 : 1 / 255;
  const values = model.execute(
    { [input.name]: tf.tensor(picture(side, scale), [1, side, side, 3], integer ? 'int32' : 'float32') },
    outputs,
  );
  result.push({
    name,
    input: input.name,
    side,
    integer,
    outputs: [values].flat().map((value, i) => {
      const data = value.dataSync();
      const every = Math.ceil(data.length / 150);
      const range = data.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
      const kept = data.filter((_, k) => k % every === 0);
      return { node: outputs[i], shape: value.shape, range, every, values: Array.from(kept, (v) => Number(v.toPrecision(9))) };
    }),
  });
}
process.stdout.write(`[\n${result.map((r) => JSON.stringify(r)).join(',\n')}\n]\n`);
