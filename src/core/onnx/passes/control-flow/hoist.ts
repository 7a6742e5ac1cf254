import type { Graph, Node } from '../../graph.ts';
import { hasBody, withBodies } from '../rewrite.ts';

/** Nodes inside bodies that read constants only are moved out in front of the graph, where folding finds them; `isPure` says which nodes may be moved. */
export function hoistConstants(graph: Graph, isPure: (node: Node) => boolean): Graph {
  if (!graph.nodes.some(hasBody)) return graph;
  const overridable = new Set(graph.inputs.map((v) => v.name));
  const known = new Set([...graph.initializers.keys()].filter((name) => !overridable.has(name)));
  const moved: Node[] = [];
  const inside = (body: Graph): Graph => {
    const results = new Set(body.outputs.map((v) => v.name));
    const movable = (node: Node): boolean =>
      isPure(node) &&
      node.inputs.length > 0 &&
      node.inputs.every((i) => i === '' || known.has(i)) &&
      !node.outputs.some((o) => results.has(o));
    const nodes = body.nodes.flatMap((node) => {
      if (!movable(node)) return [hasBody(node) ? withBodies(node, inside) : node];
      for (const output of node.outputs) known.add(output);
      moved.push(node);
      return [];
    });
    return nodes.length === body.nodes.length && nodes.every((n, i) => n === body.nodes[i]) ? body : { ...body, nodes };
  };
  const nodes = graph.nodes.map((node) => (hasBody(node) ? withBodies(node, inside) : node));
  return moved.length === 0 ? graph : { ...graph, nodes: [...moved, ...nodes] };
}
