import { type Graph, type Node, opsetOf } from '../graph.ts';
import { rewrite, someNode } from './rewrite.ts';

/** Up to opset 19 the axis is an attribute that is 1 by default; from 20 an input that is the last but one. */
const axisIsInput = 20;

/**
 * Every DFT with its axis stated where the default depends on the opset, and without left-out inputs behind the last one: the runtime reads memory it
 * does not own for those (onnxruntime 1.30). Without such a node the graph itself.
 */
export function plainTransforms(graph: Graph): Graph {
  const lacksAxis = (n: Node): boolean => opsetOf(graph) < axisIsInput && !n.attributes.has('axis');
  const isOdd = (n: Node): boolean => n.op === 'DFT' && n.domain === '' && (lacksAxis(n) || n.inputs.at(-1) === '');
  if (!someNode(graph, isOdd)) return graph;
  return rewrite(graph, (node, g) => {
    if (!isOdd(node)) return false;
    const last = node.inputs.findLastIndex((name) => name !== '');
    const attributes = lacksAxis(node)
      ? new Map([...node.attributes, ['axis', { type: 'int', value: 1 } as const]])
      : node.attributes;
    g.add({ ...node, inputs: node.inputs.slice(0, last + 1), attributes });
    return true;
  });
}
