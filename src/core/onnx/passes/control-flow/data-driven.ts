/** @file Which If and Loop take a course that what a graph is fed decides. */
import { bodiesOf, type Graph, type Node, readsOf } from '../../graph.ts';
import { bodyOf, runsOn } from './loops.ts';

/**
 * If and Loop nodes, those inside bodies included, whose condition or number of turns depends on what the named values hold (not on their sizes alone).
 * A condition is one number for the whole batch, so such a node lets the samples of a batch decide about each other. Inside a body every value the body
 * is handed counts as dependent if one is: a Loop over the samples themselves is found too.
 */
export function drivenByData(graph: Graph, names: Iterable<string>): Node[] {
  const constants = graph.initializers;
  const walk = (body: Graph, outer: ReadonlySet<string>): { found: Node[]; follows: ReadonlySet<string> } => {
    const follows = new Set(outer);
    const found: Node[] = [];
    for (const node of body.nodes) {
      if (node.op === 'Shape' || node.op === 'Size' || !readsOf(node).some((name) => follows.has(name))) continue;
      for (const output of node.outputs) follows.add(output);
      const isLoop = node.op === 'Loop' && node.domain === '';
      const isIf = node.op === 'If' && node.domain === '';
      const inner = bodiesOf(node).map((b) => ({
        b,
        ...walk(b, new Set([...follows, ...b.inputs.slice(isLoop ? 2 : 0).map((v) => v.name)])),
      }));
      const ends = isLoop && inner.some(({ b, follows: at }) => at.has(b.outputs[0]!.name));
      const starts = (isIf || isLoop) && node.inputs.slice(0, isLoop ? 2 : 1).some((name) => follows.has(name));
      const isOpen = ends && !runsOn(bodyOf(node, 'body'), (name) => constants.get(name));
      if (starts || isOpen) found.push(node);
      found.push(...inner.flatMap((i) => i.found));
    }
    return { found, follows };
  };
  return walk(graph, new Set([...names].filter((name) => !constants.has(name)))).found;
}
