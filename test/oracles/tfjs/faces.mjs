/**
 * Numbers of the face nets from their own packages, for test/fixtures/faces/nets.json.
 * Versions: @tensorflow/tfjs 4.22.0 (CPU backend), @tensorflow/tfjs-backend-wasm 4.22.0 (imported by face-api, not used),
 * @vladmandic/face-api 1.7.15, @vladmandic/human 3.3.6, jpeg-js 0.4.4, Node 20.
 * usage: node faces.mjs FOLDER   where those packages are installed in FOLDER; the JSON goes to standard output
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const require = createRequire(join(folder, 'index.js'));
const tf = require('@tensorflow/tfjs');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
const jpeg = require('jpeg-js');
await tf.setBackend('cpu');
await tf.ready();

const packageFile = (name, path) => join(folder, 'node_modules', '@vladmandic', name, path);
const digits = (values) => Array.from(values, (v) => Number(v.toPrecision(9)));

function synthetic(width, height) {
  const data = new Float32Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[at++] = (x * (3 + c) + y * (5 - c) + ((x * x + 3 * y * y + x * y) >> 5) + 37 * c) & 255;
  return tf.tensor3d(data, [height, width, 3]);
}

function photo(name) {
  const bytes = readFileSync(packageFile('face-api', `demo/${name}`));
  const { width, height, data } = jpeg.decode(bytes, { useTArray: true, formatAsRGBA: false });
  return tf.tensor3d(Float32Array.from(data), [height, width, 3]);
}

const boxes = [
  { photo: 'sample1.jpg', box: { x: 350, y: 350, width: 268, height: 268 } },
  { photo: 'sample2.jpg', box: { x: 1426, y: 208, width: 224, height: 192 } },
];
const cut = ({ photo: name, box }) => photo(name).slice([box.y, box.x, 0], [box.height, box.width, 3]);
const pictures = (...sizes) => [
  ...sizes.map(([width, height]) => ({ input: { synthetic: [width, height] }, tensor: synthetic(width, height) })),
  ...boxes.map((b) => ({ input: b, tensor: cut(b) })),
];

async function landmarks(net, modelName) {
  await net.loadFromDisk(packageFile('face-api', 'model'));
  const cases = [];
  for (const { input, tensor } of pictures([112, 112], [160, 120])) {
    const batch = await faceapi.toNetInput(tensor);
    cases.push({ input, values: digits(net.runNet(batch).dataSync()) });
  }
  return { modelName, cases };
}

async function detector() {
  const net = new faceapi.TinyFaceDetector();
  await net.loadFromDisk(packageFile('face-api', 'model'));
  const grid = async (input, tensor) => {
    const values = (await net.forward(tensor, 416)).dataSync();
    return { input, size: 416, every: 7, values: digits(values.filter((_, i) => i % 7 === 0)) };
  };
  const grids = [
    await grid({ synthetic: [320, 240] }, synthetic(320, 240)),
    await grid({ photo: 'sample4.jpg' }, photo('sample4.jpg')),
  ];
  const detections = [];
  for (const size of [416, 608]) {
    for (let i = 1; i <= 6; i++) {
      const found = await net.locateFaces(photo(`sample${i}.jpg`), { inputSize: size, scoreThreshold: 0.5 });
      const faces = found.map(({ score, relativeBox: b }) => digits([score, b.x, b.y, b.width, b.height]));
      detections.push({ photo: `sample${i}.jpg`, size, faces });
    }
  }
  return { grids, detections };
}

async function emotion() {
  const json = JSON.parse(readFileSync(packageFile('human', 'models/emotion.json'), 'utf8'));
  const bytes = readFileSync(packageFile('human', 'models/emotion.bin'));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const weightSpecs = json.weightsManifest.flatMap((g) => g.weights);
  const model = await tf.loadGraphModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData }));
  const logits = 'StatefulPartitionedCall/model_1/global_average_pooling2d_1/Mean';
  return pictures([64, 64], [160, 120]).map(({ input, tensor }) => {
    const small = tf.image.resizeBilinear(tensor.div(255).expandDims(0), [64, 64], false);
    const grey = tf.sum(tf.mul(small, [0.2989, 0.587, 0.114]), 3, true);
    const [scores, probabilities] = model.execute(tf.mul(tf.sub(grey, 0.5), 2), [logits, 'Identity']);
    return { input, logits: digits(scores.dataSync()), probabilities: digits(probabilities.dataSync()) };
  });
}

const result = {
  landmarks68: await landmarks(new faceapi.FaceLandmark68Net(), 'face_landmark_68_model'),
  landmarks68Tiny: await landmarks(new faceapi.FaceLandmark68TinyNet(), 'face_landmark_68_tiny_model'),
  detector: await detector(),
  emotion: await emotion(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
