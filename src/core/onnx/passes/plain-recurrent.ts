/** @file LSTM, GRU and RNN in the one form the runtime and the derivative rules know: time first, and the states of all moments named. */

import type { GraphBuilder } from '../builder.ts';
import { type Graph, intOf, type Node } from '../graph.ts';
import { attributesWithout, inputsTo, rewrite, someNode } from './rewrite.ts';

const ops = new Set(['LSTM', 'GRU', 'RNN']);

/**
 * The same computation with layout 0, which is all the runtime has, by transposing around nodes that put the batch first (layout 1), and with a
 * name for the states of every moment (the first output), which a gradient needs where the model reads the last ones only. Naming changes no bit.
 */
export function plainRecurrent(graph: Graph): Graph {
  const changes = (node: Node): boolean =>
    node.domain === '' && ops.has(node.op) && (node.attributes.has('layout') || (node.outputs[0] ?? '') === '');
  if (!someNode(graph, changes)) return graph;
  return rewrite(graph, (node, g) => {
    if (!changes(node)) return false;
    const states = node.outputs[0] ?? '';
    const named: Node = {
      ...node,
      attributes: attributesWithout(node, 'layout'),
      outputs: [states === '' ? g.fresh('states') : states, ...node.outputs.slice(1)],
    };
    if (intOf(node, 'layout', 0) === 1) timeFirst(named, g);
    else g.add(named);
    return true;
  });
}

/** x [N, T, I] and states [N, D, H] come in, y [N, T, D, H] and states go out. */
function timeFirst(node: Node, g: GraphBuilder): void {
  const exchange = (name: string): string => (name === '' ? '' : g.op('Transpose', [name], { perm: [1, 0, 2] }));
  const [x, w, r, b, lengths, h, c, p] = inputsTo(node, 8) as [string, string, string, string, string, string, string, string];
  const inner = node.outputs.map((name) => (name === '' ? '' : g.fresh(`${name}_time_first`)));
  const count = Math.max(node.inputs.length, 3);
  // a node may be called like the output that is now another node's
  const name = node.outputs.includes(node.name) ? g.fresh(node.name) : node.name;
  g.add({ ...node, name, inputs: [exchange(x), w, r, b, lengths, exchange(h), exchange(c), p].slice(0, count), outputs: inner });
  for (const [i, output] of node.outputs.entries())
    if (output !== '') g.op('Transpose', [inner[i]!], { perm: i === 0 ? [2, 0, 1, 3] : [1, 0, 2] }, output);
}
