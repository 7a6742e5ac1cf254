/** @file What a model costs: parameters, multiplications and memory, read off the shapes of all its values. */
import { feedsOf, type Graph, intOf, type Node } from '../../core/onnx/graph.ts';
import { type Execute, inferShapes, type ShapeTable } from '../../core/onnx/passes/shapes.ts';
import { bytesPerElement, sizeOf } from '../../core/tensor/tensor.ts';
import type { Model } from './model.ts';
import { forwardGraph } from './sessions.ts';

export interface Cost {
  /** Floating-point weights of the prepared graph (batch normalisation is already folded into its neighbours). */
  readonly parameters: number;
  /** Multiply-accumulates of convolutions, matrix products and recurrent nodes for one sample's forward pass. */
  readonly macs: number;
  /** Bytes of all intermediate values of one sample. */
  readonly activationBytes: number;
  /** Estimated bytes one more sample adds to a gradient step: every intermediate value and its cotangent. */
  readonly gradientBytes: number;
}

/** Cost of one sample. The runtime is asked for the shapes at a batch of 2 (or the model's fixed batch). */
export async function modelCost(model: Model, execute: Execute): Promise<Cost> {
  const batch = model.fixedBatch ?? 2;
  // where the model computes in float16 or integers, the gradient step holds a float32 copy
  const graph = atBatch(model.floatCopy?.twin.graph ?? forwardGraph(model), batch);
  const shapes = await inferShapes(graph, execute);
  const size = (name: string): number => sizeOf((shapes.get(name)?.dims ?? []).map((d) => d ?? batch));
  const bytes = (name: string): number => {
    const dtype = shapes.get(name)?.dtype;
    return dtype === undefined || dtype === 'string' ? 0 : size(name) * bytesPerElement(dtype);
  };
  const values = graph.nodes.flatMap((n) => n.outputs.filter((o) => o !== ''));
  const activationBytes = values.reduce((sum, name) => sum + bytes(name), 0) / batch;
  return {
    parameters: [...graph.initializers.values()].reduce(
      (sum, t) => sum + (t.dtype === 'float32' || t.dtype === 'float64' || t.dtype === 'float16' ? t.data.length : 0),
      0,
    ),
    macs: graph.nodes.reduce((sum, node) => sum + macsOf(node, shapes, size), 0) / batch,
    activationBytes,
    gradientBytes: 2 * activationBytes,
  };
}

/** Memory a batch may take, in bytes, and the most samples a batch has. */
export const batchDefaults = { memory: 512 * 2 ** 20, most: 64 } as const;

/** Samples per gradient step that fit into `memory` bytes, at least 1; a fixed batch is what it is. */
export async function suggestBatch(
  model: Model,
  execute: Execute,
  options: { readonly memory?: number; readonly most?: number } = {},
): Promise<number> {
  if (model.fixedBatch !== undefined) return model.fixedBatch;
  const { memory, most } = { ...batchDefaults, ...options };
  const { gradientBytes } = await modelCost(model, execute);
  return Math.max(1, Math.min(most, Math.floor(memory / Math.max(1, gradientBytes))));
}

/** The graph with every symbolic size of its inputs set to `batch`. */
const atBatch = (graph: Graph, batch: number): Graph => {
  const feeds = new Set(feedsOf(graph).map((v) => v.name));
  return {
    ...graph,
    inputs: graph.inputs.map((v) =>
      feeds.has(v.name) && v.dims !== undefined ? { ...v, dims: v.dims.map((d) => (typeof d === 'number' ? d : batch)) } : v,
    ),
  };
};

function macsOf(node: Node, shapes: ShapeTable, size: (name: string) => number): number {
  const dims = (i: number): readonly number[] => (shapes.get(node.inputs[i]!)?.dims ?? []).map((d) => d ?? 1);
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  switch (node.op) {
    // weights are [outputs, inputs / group, ...kernel]
    case 'Conv':
      return size(output) * sizeOf(dims(1).slice(1));
    // weights are [inputs, outputs / group, ...kernel]
    case 'ConvTranspose':
      return size(input) * sizeOf(dims(1).slice(1));
    case 'Gemm':
      return size(output) * dims(0)[intOf(node, 'transA', 0) === 1 ? 0 : 1]!;
    case 'MatMul':
      return size(output) * dims(0).at(-1)!;
    // every element of every state has a row of W [D, gates H, I] and of R [D, gates H, H] per gate
    case 'LSTM':
    case 'GRU':
    case 'RNN': {
      const [, width, hidden] = dims(2) as [number, number, number];
      return (size(output) * width * (dims(1)[2]! + hidden)) / hidden;
    }
    default:
      return 0;
  }
}
