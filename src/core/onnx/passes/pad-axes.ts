/** @file Pad with an `axes` input, all axes written out: the runtime's optimiser moves a Transpose past such a Pad as if it had none (onnxruntime 1.30). */
import { numbersOf } from '../../tensor/tensor.ts';
import type { Graph, Node } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/** Whether the node pads some axes only, by constants. */
export const hasPadAxes = (graph: Graph, node: Node): boolean =>
  node.op === 'Pad' &&
  node.domain === '' &&
  (node.inputs[3] ?? '') !== '' &&
  graph.initializers.has(node.inputs[1]!) &&
  graph.initializers.has(node.inputs[3]!);

/** The graph with pads for every axis, where pads and axes are constants. */
export function padAllAxes(graph: Graph, shapes: ShapeTable): Graph {
  return rewrite(graph, (node, g) => {
    const rank = shapes.get(node.inputs[0]!)?.dims.length;
    if (!hasPadAxes(graph, node) || rank === undefined) return false;
    const [pads, axes] = [1, 3].map((i) => numbersOf(graph.initializers.get(node.inputs[i]!)!)) as [number[], number[]];
    const all = new Array<number>(2 * rank).fill(0);
    for (const [i, axis] of axes.entries()) {
      const at = (axis + rank) % rank;
      all[at] = pads[i]!;
      all[rank + at] = pads[axes.length + i]!;
    }
    g.add({ ...node, inputs: [node.inputs[0]!, g.ints(all), ...node.inputs.slice(2, 3)].filter((v, i) => i < 2 || v !== '') });
    return true;
  });
}
