/** @file The nodes and edges of a NIR file, nested graphs written out, and the order in which one time step computes them. */
import { suggestion, UserError } from '../../../../core/errors.ts';
import { describeNode, isTree, type NirNode, type NirTree } from './tree.ts';

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface NirNetwork {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly Edge[];
}

const remedy = 'write the file again with a released version of the nir package';

/** Reads the graph of a file; the nodes of nested graphs are named GRAPH.NODE. Throws a UserError that names what is missing. */
export function readNetwork(tree: NirTree, source: string): NirNetwork {
  const root = tree.get('node');
  if (!isTree(root))
    throw new UserError(`${source} holds no group "node": it is not a NIR file`, 'give a file that nir.write has made');
  if (root.get('type') !== 'NIRGraph') {
    const type = root.get('type');
    throw new UserError(
      `${source} holds ${typeof type === 'string' ? `a single ${type}` : 'no'} node, and no graph`,
      'wrap it in a NIRGraph with Input and Output',
    );
  }
  return networkOf(root, source, '');
}

function networkOf(graph: NirTree, source: string, prefix: string): NirNetwork {
  const [listed, pairs] = [graph.get('nodes'), graph.get('edges')];
  const where = prefix === '' ? source : `${source}: the graph "${prefix.slice(0, -1)}"`;
  if (!isTree(listed)) throw new UserError(`${where} has no nodes`, remedy);
  if (!Array.isArray(pairs) || pairs.length % 2 !== 0) throw new UserError(`${where} has no edges, or half an edge`, remedy);
  const nodes = new Map<string, NirNode>();
  /** Where edges to and from a nested graph really go. */
  const doors = new Map<string, { readonly ins: readonly string[]; readonly outs: readonly string[] }>();
  const edges: Edge[] = [];
  for (const [own, fields] of listed) {
    const name = `${prefix}${own}`;
    const type = isTree(fields) ? fields.get('type') : undefined;
    if (!isTree(fields) || typeof type !== 'string') throw new UserError(`${where}: the node "${name}" has no type`, remedy);
    if (type !== 'NIRGraph') {
      nodes.set(name, { name, type, fields });
      continue;
    }
    const inner = networkOf(fields, source, `${name}.`);
    for (const [key, node] of inner.nodes) nodes.set(key, node);
    edges.push(...inner.edges);
    doors.set(name, { ins: outermost(inner, 'Input', name), outs: outermost(inner, 'Output', name) });
  }
  const seen = new Set<string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const [from, to] = [`${prefix}${pairs[i]}`, `${prefix}${pairs[i + 1]}`];
    for (const end of [from, to])
      if (!nodes.has(end) && !doors.has(end))
        throw new UserError(
          `${where} has an edge "${from}" to "${to}", but no node "${end}"`,
          suggestion(end, [...nodes.keys(), ...doors.keys()]),
        );
    // the same edge written twice is one edge
    if (seen.has(`${from}\n${to}`)) continue;
    seen.add(`${from}\n${to}`);
    for (const source of doors.get(from)?.outs ?? [from])
      for (const target of doors.get(to)?.ins ?? [to]) edges.push({ from: source, to: target });
  }
  return { nodes, edges };
}

/** The one Input or Output by which a nested graph is entered or left: edges name the graph alone. */
function outermost(inner: NirNetwork, type: 'Input' | 'Output', name: string): string[] {
  const direct = [...inner.nodes.values()].filter((n) => n.type === type && !n.name.slice(name.length + 1).includes('.'));
  if (direct.length === 1) return [direct[0]!.name];
  throw new UserError(
    `the nested graph "${name}" has ${direct.length} nodes of type ${type}, and edges do not say which they mean`,
    'give nested graphs one Input and one Output',
  );
}

export interface Schedule {
  /** Every node after those it reads in the same time step. */
  readonly order: readonly NirNode[];
  /** Edges that close a cycle: what flows along them is that of the step before. */
  readonly back: ReadonlySet<Edge>;
}

/** Walks from the inputs along the edges as they are listed. Throws a UserError for a node that no input reaches. */
export function scheduleOf({ nodes, edges }: NirNetwork): Schedule {
  const leaving = new Map<string, Edge[]>([...nodes.keys()].map((name) => [name, []]));
  for (const edge of edges) leaving.get(edge.from)!.push(edge);
  const state = new Map<string, 'open' | 'done'>();
  const back = new Set<Edge>();
  const finished: NirNode[] = [];
  for (const start of nodes.values()) {
    if (start.type !== 'Input' || state.has(start.name)) continue;
    state.set(start.name, 'open');
    const stack = [{ name: start.name, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const edge = leaving.get(top.name)![top.next++];
      if (edge === undefined) {
        state.set(top.name, 'done');
        finished.push(nodes.get(top.name)!);
        stack.pop();
      } else if (state.get(edge.to) === 'open') back.add(edge);
      else if (!state.has(edge.to)) {
        state.set(edge.to, 'open');
        stack.push({ name: edge.to, next: 0 });
      }
    }
  }
  const unreached = [...nodes.values()].find((node) => !state.has(node.name));
  if (unreached !== undefined)
    throw new UserError(
      `${describeNode(unreached)} is reached from no Input`,
      'remove it, or connect it: nothing would ever flow through it',
    );
  return { order: finished.reverse(), back };
}
