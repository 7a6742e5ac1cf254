import { dirname, join } from 'node:path';
import type { Graph } from '../../core/onnx/graph.ts';
import { importGraphModel, shardPaths } from '../../kit/model/importers/tfjs-graph.ts';
import { readUserFile } from './files.ts';

/** Converts a TensorFlow.js graph model from its model.json and the weight files beside it. */
export async function readTfjsModel(path: string): Promise<Graph> {
  const json = await readUserFile(path, 'the TensorFlow.js model');
  const files: Record<string, Uint8Array> = {};
  for (const shard of shardPaths(json, path)) files[shard] = await readUserFile(join(dirname(path), shard), 'the weights file');
  return importGraphModel(json, files, { source: path });
}
