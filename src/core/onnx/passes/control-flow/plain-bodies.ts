/** @file Bodies of If, Loop and Scan in the one form every later pass relies on. */
import type { Tensor } from '../../../tensor/tensor.ts';
import { bodiesOf, type Graph, type Node, type Value } from '../../graph.ts';
import { hasBody, namesOf, withBodies } from '../rewrite.ts';

/** What is known all over the model while its bodies are walked. */
interface Model {
  /** Every name in use anywhere. */
  readonly taken: Set<string>;
  /** Names given so far. */
  readonly given: Set<string>;
  /** The constants of all bodies. */
  readonly constants: Map<string, Tensor>;
}

/**
 * The same model, in whose bodies every name is its own (branches may share names in the file), constants lie with those of the model, and each result
 * is computed inside by a node, under a name used once. What is known of a value can then be kept by name, wherever it lies.
 */
export function plainBodies(graph: Graph): Graph {
  if (!graph.nodes.some(hasBody)) return graph;
  const constants = new Map(graph.initializers);
  const given = new Set([...graph.inputs.map((v) => v.name), ...constants.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
  const model = { taken: namesOf(graph), given, constants };
  const nodes = graph.nodes.map((n) => plainNode(n, (name) => name, model));
  return { ...graph, nodes, initializers: constants };
}

const plainNode = (node: Node, rename: (name: string) => string, model: Model): Node =>
  hasBody(node) ? withBodies(node, (body) => plainBody(body, rename, model)) : node;

function plainBody(body: Graph, outer: (name: string) => string, model: Model): Graph {
  const own = new Map<string, string>();
  const give = (name: string): void => {
    if (name === '') return;
    own.set(name, model.given.has(name) ? fresh(name, model.taken) : name);
    model.given.add(own.get(name)!);
  };
  for (const { name } of body.inputs) give(name);
  for (const name of body.initializers.keys()) if (!own.has(name)) give(name);
  for (const node of body.nodes) node.outputs.forEach(give);
  const rename = (name: string): string => own.get(name) ?? outer(name);
  const value = (v: Value): Value => (own.get(v.name) === v.name ? v : { name: rename(v.name), dtype: v.dtype, dims: v.dims });
  for (const [name, constant] of body.initializers) model.constants.set(rename(name), constant);
  const nodes = body.nodes.map((node): Node => {
    const plain = plainNode(node, rename, model);
    const same = [...node.inputs, ...node.outputs].every((name) => rename(name) === name);
    return same ? plain : { ...plain, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
  });
  const computed = new Set(nodes.flatMap((n) => n.outputs));
  const outputs = body.outputs.map((v): Value => {
    const name = rename(v.name);
    if (computed.delete(name)) return value(v);
    const copy = fresh(name, model.taken);
    model.given.add(copy);
    nodes.push({ op: 'Identity', domain: '', name: '', inputs: [name], outputs: [copy], attributes: new Map() });
    return { name: copy, dtype: v.dtype, dims: v.dims };
  });
  return {
    ...body,
    nodes,
    inputs: body.inputs.map(value),
    outputs,
    initializers: new Map(),
    values: new Map([...body.values.values()].map((v) => [rename(v.name), value(v)])),
  };
}

function fresh(name: string, taken: Set<string>): string {
  let made = name;
  for (let count = 1; taken.has(made); count++) made = `${name}_${count}`;
  taken.add(made);
  return made;
}

/** The graph without the sizes it states for values inside it and inside its bodies: they hold for the sizes of the file only. */
export function withoutStatedSizes(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map(openNode), values: new Map() };
}

const openNode = (node: Node): Node =>
  bodiesOf(node).length === 0
    ? node
    : withBodies(node, (body) => ({
        ...withoutStatedSizes(body),
        // the runtime insists on knowing that the number of the turn and the condition of a Loop are scalars
        inputs: body.inputs.map((v, i) => (node.op === 'Loop' && i < 2 ? v : { name: v.name, dtype: v.dtype, dims: undefined })),
        outputs: body.outputs.map((v) => ({ name: v.name, dtype: v.dtype, dims: undefined })),
      }));
