/** @file The plain form: per layer, step and role exactly one Greater or GreaterOrEqual with a Cast, under names that say which. */

import { attributes } from '../onnx/builder.ts';
import { elementType } from '../onnx/dtypes.ts';
import type { Graph, Node } from '../onnx/graph.ts';
import { dropDead } from '../onnx/passes/drop-dead.ts';
import { namesOf } from '../onnx/passes/rewrite.ts';
import type { Firing } from './candidates.ts';
import type { Chain } from './chains.ts';
import type { Spike } from './layer.ts';
import { resetPath } from './reset-path.ts';
import type { Scene } from './scene.ts';

export interface Written {
  readonly graph: Graph;
  /** Per chain: its comparisons, and the value that is 1 where the layer fired at each step. */
  readonly layers: readonly { readonly spikes: readonly Spike[]; readonly outputs: readonly string[] }[];
}

/** What replaces nodes of the graph while it is written again. */
interface Edits {
  /** Nodes put before this one. */
  readonly before: Map<Node, Node[]>;
  /** Nodes put after this one. */
  readonly after: Map<Node, Node[]>;
  readonly dropped: Set<Node>;
  /** What every reader reads instead. */
  readonly renamed: Map<string, string>;
  /** What the readers on a reset path read instead: by node. */
  readonly rewired: Map<Node, Map<string, string>>;
}

/**
 * Writes the chains in the plain form under the names `LAYER/stepT/output` and `LAYER/stepT/reset` and changes nothing else. Comparisons that compute the
 * same become one; where the next potential reads the spike, it gets a comparison of its own, so that its derivative can be told from that of the output.
 * Every value that stays is bit-equal. `chains[i]` is called `names[i]`.
 */
export function writePlainForm(scene: Scene, chains: readonly Chain[], names: readonly string[]): Written {
  const edits: Edits = { before: new Map(), after: new Map(), dropped: new Set(), renamed: new Map(), rewired: new Map() };
  const layers = chains.map((chain, i) => {
    const spikes: Spike[] = [];
    const outputs = chain.firings.map((f, step) => {
      const next = chain.links[step]?.to;
      const written = writeStep(scene, f, next, `${names[i]!}/step${step}`, edits);
      spikes.push(...written.roles.map((role): Spike => ({ node: `${names[i]!}/step${step}/${role}`, step, role })));
      return written.value;
    });
    return { spikes, outputs };
  });
  return { graph: dropDead(applied(scene.graph, edits)), layers };
}

function writeStep(
  scene: Scene,
  f: Firing,
  next: Firing | undefined,
  name: string,
  edits: Edits,
): { roles: Spike['role'][]; value: string } {
  const path = next === undefined ? { readers: new Set<Node>(), shared: new Set<Node>() } : resetPath(scene, f, next);
  const floats = new Set(f.floats);
  const own = new Set<Node>([...f.nodes, ...[...f.floats, ...f.bools, ...f.negated].map((v) => scene.producer(v)!)]);
  const isOutput = new Set(scene.graph.outputs.map((v) => v.name));
  const readOutside = f.floats.some(
    (v) =>
      isOutput.has(v) || scene.consumers(v).some((user) => !own.has(user) && (!path.readers.has(user) || path.shared.has(user))),
  );
  const readInReset = f.floats.some((v) => scene.consumers(v).some((user) => path.readers.has(user)));
  const roles: Spike['role'][] = [
    ...(readOutside || !readInReset ? (['output'] as const) : []),
    ...(readInReset ? (['reset'] as const) : []),
  ];
  const at = f.nodes[0]!;
  const make = (node: Node): Node => {
    edits.before.set(at, [...(edits.before.get(at) ?? []), node]);
    return node;
  };
  const dtype = scene.shape(f.floats[0]!)!.dtype;
  const cast = (from: string, to: string, label: string, type = dtype): Node =>
    make({
      op: 'Cast',
      domain: '',
      name: label,
      inputs: [from],
      outputs: [to],
      attributes: attributes({ to: elementType(type) }),
    });
  const values = roles.map((role) => {
    const label = `${name}/${role}`;
    const inputs = [f.above, f.below].map((v) => edits.renamed.get(v) ?? v);
    make({
      op: f.strict ? 'Greater' : 'GreaterOrEqual',
      domain: '',
      name: label,
      inputs,
      outputs: [`${label}/fires`],
      attributes: new Map(),
    });
    // the file's own name stays that of the spike others read
    const value = role === roles[0] ? (f.floats.find((v) => isOutput.has(v)) ?? f.floats[0]!) : `${label}/spike`;
    cast(`${label}/fires`, value, `${label}/cast`);
    return value;
  });
  const value = values[0]!;
  for (const other of f.floats) {
    if (other === value) continue;
    if (isOutput.has(other) || scene.shape(other)!.dtype !== dtype)
      cast(value, other, `${name}/as/${other}`, scene.shape(other)!.dtype);
    else edits.renamed.set(other, value);
  }
  const fires = `${name}/${roles[0]!}/fires`;
  for (const bool of f.bools) edits.renamed.set(bool, fires);
  if (f.negated.some((v) => scene.consumers(v).some((user) => !own.has(user)))) {
    make({
      op: 'Not',
      domain: '',
      name: `${name}/silent`,
      inputs: [fires],
      outputs: [`${name}/silent/fires`],
      attributes: new Map(),
    });
    for (const bool of f.negated) edits.renamed.set(bool, `${name}/silent/fires`);
  }
  for (const node of own) edits.dropped.add(node);
  if (roles.length === 2) splitPath(path, floats, values[1]!, `${name}/reset`, edits);
  return { roles, value };
}

/** Nodes of the reset path read the reset's spike; those whose result is read elsewhere too are written twice. */
function splitPath(
  path: { readonly readers: ReadonlySet<Node>; readonly shared: ReadonlySet<Node> },
  floats: ReadonlySet<string>,
  spike: string,
  name: string,
  edits: Edits,
): void {
  const copies = new Map<string, string>();
  for (const v of floats) copies.set(v, spike);
  for (const node of path.readers) {
    const inputs = new Map(node.inputs.filter((i) => copies.has(i)).map((i) => [i, copies.get(i)!]));
    if (!path.shared.has(node)) {
      if (inputs.size > 0) edits.rewired.set(node, new Map([...(edits.rewired.get(node) ?? []), ...inputs]));
      continue;
    }
    const outputs = node.outputs.map((o) => (o === '' ? '' : `${name}/${o}`));
    const copy = { ...node, name: `${name}/${node.name === '' ? node.outputs[0] : node.name}`, outputs };
    edits.after.set(node, [...(edits.after.get(node) ?? []), copy]);
    edits.rewired.set(copy, inputs);
    node.outputs.forEach((o, i) => {
      if (o !== '') copies.set(o, outputs[i]!);
    });
  }
}

function applied(graph: Graph, edits: Edits): Graph {
  const nodes: Node[] = [];
  const put = (node: Node): void => {
    const rewired = edits.rewired.get(node);
    const inputs = node.inputs.map((i) => rewired?.get(i) ?? edits.renamed.get(i) ?? i);
    nodes.push(inputs.some((input, i) => input !== node.inputs[i]) ? { ...node, inputs } : node);
  };
  for (const node of graph.nodes) {
    for (const made of edits.before.get(node) ?? []) put(made);
    if (!edits.dropped.has(node)) put(node);
    for (const made of edits.after.get(node) ?? []) put(made);
  }
  return { ...graph, nodes };
}

/** Layer names that no name of the graph starts with. */
export function freeNames(graph: Graph, wanted: readonly string[]): string[] {
  const taken = [...namesOf(graph)];
  const given = new Set<string>();
  return wanted.map((name) => {
    let free = name;
    for (let i = 2; given.has(free) || taken.some((t) => t.startsWith(`${free}/step`)); i++) free = `${name}-${i}`;
    given.add(free);
    return free;
  });
}
