/** @file What the CPU runtime computes wrongly with several threads. */
import { type Graph, type Node, stringOf } from '../onnx/graph.ts';
import { someNode } from '../onnx/passes/rewrite.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Whether a graph, bodies included, has a ScatterND that reduces and may meet a place twice: onnxruntime (1.30) hands its updates to all threads without
 * a lock, and some are lost, others each time (of 40000 ones added to one place by two threads 24660 arrived). Constant indices without repetition are safe.
 */
export const racesWithThreads = (graph: Graph): boolean =>
  someNode(graph, (node) => reduces(node) && mayRepeat(graph.initializers.get(node.inputs[1] ?? '')));

const reduces = (node: Node): boolean =>
  node.op === 'ScatterND' && node.domain === '' && stringOf(node, 'reduction', 'none') !== 'none';

function mayRepeat(indices: Tensor | undefined): boolean {
  if (indices?.dtype !== 'int64') return true;
  const depth = indices.dims.at(-1) ?? 1;
  const seen = new Set<string>();
  for (let at = 0; at < indices.data.length; at += depth) {
    const place = indices.data.subarray(at, at + depth);
    // counted from the end, a place has a second name
    if (place.some((i) => i < 0n) || seen.has(place.join())) return true;
    seen.add(place.join());
  }
  return false;
}
