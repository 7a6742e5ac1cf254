/** @file Nodes under other names, those inside their bodies included. */
import type { Attribute, Graph, Node, Value } from '../../graph.ts';

export type Rename = (name: string) => string;

/** The node with every value it reads or makes renamed, in its bodies too; '' stays. */
export function renamed(node: Node, rename: Rename): Node {
  const to: Rename = (name) => (name === '' ? '' : rename(name));
  return {
    ...node,
    inputs: node.inputs.map(to),
    outputs: node.outputs.map(to),
    attributes: new Map([...node.attributes].map(([key, a]) => [key, renamedAttribute(a, to)])),
  };
}

const renamedAttribute = (a: Attribute, rename: Rename): Attribute =>
  a.type === 'graph' ? { type: 'graph', value: renamedGraph(a.value, rename) } : a;

function renamedGraph(graph: Graph, rename: Rename): Graph {
  const value = (v: Value): Value => ({ name: rename(v.name), dtype: v.dtype, dims: v.dims });
  return {
    ...graph,
    nodes: graph.nodes.map((n) => renamed(n, rename)),
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
    initializers: new Map([...graph.initializers].map(([name, t]) => [rename(name), t])),
    values: new Map([...graph.values.values()].map((v) => [rename(v.name), value(v)])),
  };
}

/** Names a body gives, those of the bodies inside it included. */
export function definedIn(body: Graph, into = new Set<string>()): Set<string> {
  for (const { name } of body.inputs) into.add(name);
  for (const name of body.initializers.keys()) into.add(name);
  for (const node of body.nodes) {
    for (const output of node.outputs) if (output !== '') into.add(output);
    for (const a of node.attributes.values()) if (a.type === 'graph') definedIn(a.value, into);
  }
  return into;
}
