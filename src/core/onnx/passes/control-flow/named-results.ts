/** @file If, Loop and Scan with a name for each of their results: where one is left out, the runtime refuses the node or ends the process. */
import type { Graph, Node } from '../../graph.ts';
import { hasBody, rewrite, someNode } from '../rewrite.ts';
import { bodyOf } from './loops.ts';

/** How many results a node has: those of its body, without the condition of a Loop. */
function resultsOf(node: Node): number {
  if (node.op === 'If') return bodyOf(node, 'then_branch').outputs.length;
  return bodyOf(node, 'body').outputs.length - (node.op === 'Loop' ? 1 : 0);
}

const isFlow = (node: Node): boolean => node.domain === '' && ['If', 'Loop', 'Scan'].includes(node.op) && hasBody(node);

/** The same graph, in which results nobody reads have names, too (onnxruntime 1.30 dies over a Loop without). The graph itself where none is left out. */
export function nameResults(graph: Graph): Graph {
  const lacks = (node: Node): boolean => isFlow(node) && (node.outputs.includes('') || node.outputs.length < resultsOf(node));
  if (!someNode(graph, lacks)) return graph;
  return rewrite(graph, (node, g) => {
    if (!lacks(node)) return false;
    const outputs = Array.from({ length: resultsOf(node) }, (_, i) => node.outputs[i] || g.fresh('unread'));
    g.add({ ...node, outputs });
    return true;
  });
}
