/** @file The one loop under most passes: walk the nodes, replace some by others, in bodies of If, Loop and Scan too. */
import { type GraphBuilder, graphBuilder } from '../builder.ts';
import { type Attribute, bodiesOf, type Graph, type Node } from '../graph.ts';

/**
 * Looks at a node and either writes what replaces it to `g` and returns true, or leaves it (false).
 * A replacement must produce every output of the node that is used, under the same name.
 */
export type Visit = (node: Node, g: GraphBuilder, graph: Graph) => boolean;

/** The graph with every node put to `visit`, bodies of control-flow nodes included; constants a body needs become initializers of that body. */
export function rewrite(graph: Graph, visit: Visit): Graph {
  return walk(graph, visit, namesOf(graph));
}

function walk(graph: Graph, visit: Visit, taken: Set<string>): Graph {
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken });
  for (const node of graph.nodes) {
    const current = hasBody(node) ? withBodies(node, (body) => walk(body, visit, taken)) : node;
    if (!visit(current, g, graph)) g.add(current);
  }
  return g.build();
}

/** Whether the node carries a graph (If, Loop, Scan). */
export const hasBody = (node: Node): boolean => bodiesOf(node).length > 0;

/** The node with its bodies changed; the very same node where none did. */
export function withBodies(node: Node, change: (body: Graph) => Graph): Node {
  let changed = false;
  const attributes = new Map<string, Attribute>();
  for (const [name, a] of node.attributes) {
    const body = a.type === 'graph' ? change(a.value) : undefined;
    changed ||= a.type === 'graph' && body !== a.value;
    attributes.set(name, body === undefined ? a : { type: 'graph', value: body });
  }
  return changed ? { ...node, attributes } : node;
}

/** Whether `test` holds of a node of the graph, or of one inside its bodies. */
export const someNode = (graph: Graph, test: (node: Node) => boolean): boolean =>
  graph.nodes.some((n) => test(n) || bodiesOf(n).some((body) => someNode(body, test)));

/** Every name in the graph and in the bodies inside it: of values, and of nodes, which a node made later may not be called either. */
export function namesOf(graph: Graph, into = new Set<string>()): Set<string> {
  for (const name of graph.initializers.keys()) into.add(name);
  for (const value of graph.inputs) into.add(value.name);
  for (const node of graph.nodes) {
    for (const name of [node.name, ...node.inputs, ...node.outputs]) into.add(name);
    for (const a of node.attributes.values()) if (a.type === 'graph') namesOf(a.value, into);
  }
  return into;
}

/** The attributes of a node without those named. */
export const attributesWithout = (node: Node, ...names: readonly string[]): Map<string, Attribute> =>
  new Map([...node.attributes].filter(([name]) => !names.includes(name)));

/** The inputs of a node, cut or filled up with '' (left out) to `count`. */
export const inputsTo = (node: Node, count: number): string[] => Array.from({ length: count }, (_, i) => node.inputs[i] ?? '');
