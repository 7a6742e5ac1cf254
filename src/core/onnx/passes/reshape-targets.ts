import { feedsOf, type Graph, type Node } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/** Whether the node is a Reshape to a shape computed at run time, in a graph whose batch is open. */
export const hasComputedTarget = (graph: Graph, node: Node): boolean =>
  node.op === 'Reshape' && node.domain === '' && !graph.initializers.has(node.inputs[1]!) && hasOpenBatch(graph);

const hasOpenBatch = (graph: Graph): boolean => feedsOf(graph).some((v) => v.dims?.some((d) => typeof d !== 'number'));

/** Reshapes to computed shapes of which all sizes but one are known get a constant shape, with -1 for that one; the arithmetic on sizes dies with it. */
export function constantTargets(graph: Graph, shapes: ShapeTable): Graph {
  return rewrite(graph, (node, g) => {
    if (!hasComputedTarget(graph, node)) return false;
    const dims = shapes.get(node.outputs[0]!)?.dims;
    if (dims === undefined || dims.includes(0) || dims.filter((d) => d === null).length > 1) return false;
    g.add({ ...node, inputs: [node.inputs[0]!, g.ints(dims.map((d) => d ?? -1))], attributes: new Map() });
    return true;
  });
}
