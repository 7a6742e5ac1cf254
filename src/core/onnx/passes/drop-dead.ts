import type { Graph, Node } from '../graph.ts';

/** Drops nodes and initializers that no output needs; inputs stay, they are the graph's signature. */
export function dropDead(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((v) => v.name));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((o) => needed.has(o))) continue;
    for (const input of node.inputs) needed.add(input);
    for (const attribute of node.attributes.values())
      if (attribute.type === 'graph') for (const name of capturedBy(attribute.value)) needed.add(name);
    nodes.push(node);
  }
  nodes.reverse();
  return {
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    values: new Map([...graph.values].filter(([name]) => needed.has(name))),
  };
}

/** Names a graph reads: its own, and those a subgraph (body of If, Loop, Scan) may take from around it. */
export function capturedBy(graph: Graph): string[] {
  return [
    ...graph.outputs.map((v) => v.name),
    ...graph.nodes.flatMap((n) => [
      ...n.inputs,
      ...[...n.attributes.values()].flatMap((a) => (a.type === 'graph' ? capturedBy(a.value) : [])),
    ]),
  ];
}
