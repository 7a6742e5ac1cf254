/** @file Everything that reads bytes others wrote, with files it accepts. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parseExperiment } from '../../../src/app/experiment/parse.ts';
import { externalFiles } from '../../../src/core/onnx/external.ts';
import { printGraph } from '../../../src/core/onnx/print.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { validate } from '../../../src/core/onnx/validate.ts';
import { readNpy, readNpz } from '../../../src/core/tensor/npy.ts';
import { faceApiFiles, importFaceApi } from '../../../src/kit/model/importers/face-api.ts';
import { importGraphModel, shardPaths } from '../../../src/kit/model/importers/tfjs-graph.ts';
import { readManifest } from '../../../src/kit/model/manifest.ts';

export interface Reader {
  readonly name: string;
  readonly files: readonly Uint8Array[];
  /** Share of the damaged files. */
  readonly share: number;
  /** Reads; throws a UserError for what it refuses. Returns whether a validator, if there is one, has nothing against it. */
  read(bytes: Uint8Array, file: number): boolean;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fixtures = join(root, 'test/fixtures');
const packages = join(root, 'node_modules/@vladmandic');

const below = (folder: string, pattern: RegExp, most: number): Uint8Array[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name) && statSync(join(folder, name)).size <= most)
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    });

const text = new TextDecoder();
const encoder = new TextEncoder();

function tfjs(): Reader {
  const folder = join(packages, 'human/models');
  const names = ['emotion', 'antispoof', 'liveness', 'blazeface'].filter((name) => existsSync(join(folder, `${name}.json`)));
  const files = names.map((name) => new Uint8Array(readFileSync(join(folder, `${name}.json`))));
  const shards = names.map((name, i) =>
    Object.fromEntries(shardPaths(files[i]!, name).map((path) => [path, new Uint8Array(readFileSync(join(folder, path)))])),
  );
  return {
    name: 'TensorFlow.js',
    files,
    share: 0.04,
    read(bytes, file) {
      shardPaths(bytes, 'damaged');
      importGraphModel(bytes, shards[file]!, { source: 'damaged' });
      return true;
    },
  };
}

function faceApi(): Reader {
  const net = 'face_expression_model';
  const [manifest, weights] = faceApiFiles(net);
  const load = (name: string) => new Uint8Array(readFileSync(join(packages, 'face-api/model', name)));
  return {
    name: 'face-api',
    files: [load(manifest)],
    share: 0.04,
    read(bytes) {
      importFaceApi(net, { [manifest]: bytes, [weights]: load(weights) });
      return true;
    },
  };
}

/** All readers. The shares add up to 1. */
export const readers = (): Reader[] => [
  {
    name: 'ONNX',
    files: [
      ...below(join(fixtures, 'onnx'), /\.onnx$/, 200_000),
      ...below(join(fixtures, 'torch-exports'), /\.onnx$/, 200_000),
      ...below(join(fixtures, 'exports'), /\.onnx(\.gz)?$/, 20_000),
    ],
    share: 0.7,
    read(bytes) {
      externalFiles(bytes, 'damaged');
      const graph = readModel(bytes, { source: 'damaged', external: new Map([['weights/external.bin', new Uint8Array(256)]]) });
      printGraph(graph);
      return validate(graph).every((f) => f.severity !== 'error');
    },
  },
  tfjs(),
  faceApi(),
  {
    name: 'NumPy array',
    files: below(join(fixtures, 'npy'), /\.npy$/, 100_000),
    share: 0.08,
    read(bytes) {
      readNpy(bytes, 'damaged');
      return true;
    },
  },
  {
    name: 'NumPy archive',
    files: below(join(fixtures, 'npy'), /\.npz$/, 100_000),
    share: 0.04,
    read(bytes) {
      readNpz(bytes, 'damaged');
      return true;
    },
  },
  {
    name: 'experiment',
    files: below(join(root, 'examples'), /\.yaml$/, 100_000),
    share: 0.05,
    read(bytes) {
      parseExperiment(text.decode(bytes), 'damaged');
      return true;
    },
  },
  {
    name: 'manifest',
    files: [
      encoder.encode(
        'name: net\nclasses: [calm, stressed]\ninputs:\n  image: { layout: NCHW, bounds: [0, 1], role: attacked, shape: [3, 8, 8] }\noutput: { name: scores, kind: logits }\n',
      ),
      encoder.encode('{"classes": ["a", "b"], "inputs": {"x": {"bounds": {"lower": [0, 0], "upper": [1, 2]}}}}'),
    ],
    share: 0.05,
    read(bytes) {
      readManifest(text.decode(bytes), 'damaged');
      return true;
    },
  },
];
