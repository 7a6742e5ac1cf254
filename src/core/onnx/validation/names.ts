/** @file Every value is produced once, before it is read, by a graph without cycles; bodies of If, Loop and Scan see the names around them. */
import { nearest } from '../../errors.ts';
import type { SparseTensorProto } from '../generated/onnx-ml_pb.ts';
import { describeNode, type Graph, type Node } from '../graph.ts';
import { capturedBy } from '../passes/drop-dead.ts';
import { type Place, subgraphsOf } from './finding.ts';

interface Scope {
  /** What has been seen so far, with a description of where it comes from. */
  readonly defined: Map<string, string>;
  /** What nodes of this graph produce, sooner or later. */
  readonly produced: ReadonlySet<string>;
  readonly parent: Scope | undefined;
}

const lookup = (scope: Scope | undefined, name: string): string | undefined =>
  scope && (scope.defined.get(name) ?? lookup(scope.parent, name));

const isProducedLater = (scope: Scope | undefined, name: string): boolean =>
  scope !== undefined && (scope.produced.has(name) || isProducedLater(scope.parent, name));

/** Checks a whole graph, subgraphs included. */
export function checkNames(graph: Graph, place: Place, parent?: Scope): void {
  const scope: Scope = { defined: new Map(), produced: new Set(graph.nodes.flatMap((n) => n.outputs)), parent };
  const what = parent === undefined ? 'graph' : `subgraph "${graph.name}"`;
  const inputs = new Set<string>();
  for (const { name } of graph.inputs) {
    if (name === '') place.report('names', what, `an input of the ${what} has no name`, 'name every input');
    if (inputs.has(name))
      place.report('names', name, `input "${name}" of the ${what} is listed twice`, 'give the inputs different names');
    else define(scope, name, `an input of the ${what}`, place);
    inputs.add(name);
  }
  for (const name of [...graph.initializers.keys(), ...sparseNames(graph)]) {
    if (name === '') place.report('names', what, `an initializer of the ${what} has no name`, 'name every initializer');
    if (!inputs.has(name)) define(scope, name, `an initializer of the ${what}`, place);
  }
  checkBody(graph.nodes, scope, place);
  for (const { name } of graph.outputs) {
    if (scope.defined.has(name)) continue;
    if (lookup(parent, name) !== undefined)
      place.report(
        'names',
        name,
        `output "${name}" of the ${what} comes from outside it, which the runtime refuses`,
        'return it through an Identity node inside the subgraph',
      );
    else place.report('names', name, `nothing produces output "${name}" of the ${what}`, remedyFor(name, scope));
  }
  if (graph.outputs.length === 0)
    place.report('names', what, `the ${what} has no outputs`, 'declare as outputs what the model is to return');
}

/** Checks the body of a local function: it sees its own inputs and nothing else. */
export function checkFunctionNames(
  body: { readonly inputs: readonly string[]; readonly outputs: readonly string[]; readonly nodes: readonly Node[] },
  what: string,
  place: Place,
): void {
  const scope: Scope = { defined: new Map(), produced: new Set(body.nodes.flatMap((n) => n.outputs)), parent: undefined };
  for (const name of body.inputs) define(scope, name, `an input of ${what}`, place);
  checkBody(body.nodes, scope, place);
  for (const name of body.outputs)
    if (!scope.defined.has(name))
      place.report('names', name, `nothing produces output "${name}" of ${what}`, remedyFor(name, scope));
}

function checkBody(nodes: readonly Node[], scope: Scope, place: Place): void {
  let late = false;
  const nodeNames = new Set<string>();
  for (const node of nodes) {
    if (node.name !== '' && nodeNames.has(node.name))
      place.report(
        'names',
        describeNode(node),
        `${describeNode(node)} is not the only node of that name`,
        'name each node differently, or none',
      );
    nodeNames.add(node.name);
    for (const name of new Set(node.inputs)) {
      if (name === '' || lookup(scope, name) !== undefined) continue;
      if (isProducedLater(scope, name)) late = true;
      else
        place.report(
          'names',
          describeNode(node),
          `${describeNode(node)} reads "${name}", which nothing produces`,
          remedyFor(name, scope),
        );
    }
    for (const subgraph of subgraphsOf(node)) {
      late ||= capturedBy(subgraph).some((name) => lookup(scope, name) === undefined && isProducedLater(scope, name));
      checkNames(subgraph, place, scope);
    }
    for (const name of node.outputs) if (name !== '') define(scope, name, `an output of ${describeNode(node)}`, place);
  }
  if (late) checkOrder(nodes, place);
}

function define(scope: Scope, name: string, by: string, place: Place): void {
  const before = lookup(scope, name);
  if (before !== undefined)
    place.report(
      'names',
      name,
      `"${name}" is produced twice: as ${before} and as ${by}`,
      'give the two values different names, also across subgraphs',
    );
  if (!scope.defined.has(name)) scope.defined.set(name, by);
}

/** Called when something is read before it is produced: because of a cycle, or because the nodes are merely out of order. */
function checkOrder(nodes: readonly Node[], place: Place): void {
  const producer = new Map(nodes.flatMap((n) => n.outputs.filter((o) => o !== '').map((o) => [o, n] as const)));
  const needs = new Map(
    nodes.map((n) => {
      const read = [...n.inputs, ...subgraphsOf(n).flatMap(capturedBy)];
      return [n, new Set(read.flatMap((name) => producer.get(name) ?? []))] as const;
    }),
  );
  const cycle = findCycle(nodes, needs);
  if (cycle !== undefined) {
    const names = cycle.map(describeNode);
    const shown = names.length > 4 ? [...names.slice(0, 4), `${names.length - 4} more`] : names;
    place.report(
      'cycle',
      names[0]!,
      `the graph runs in a circle: ${shown.join(' -> ')} -> back`,
      'cut the circle; recurrence is written with Loop or Scan',
    );
    return;
  }
  const done = new Set<Node>();
  for (const node of nodes) {
    const missing = [...needs.get(node)!].find((n) => !done.has(n));
    if (missing !== undefined) {
      place.report(
        'order',
        describeNode(node),
        `${describeNode(node)} comes before ${describeNode(missing)}, whose result it reads`,
        'sort the nodes so that each comes after those it reads from, as the ONNX standard asks',
      );
      return;
    }
    done.add(node);
  }
}

/** Nodes along one cycle, in the order data flows, or undefined. */
function findCycle(nodes: readonly Node[], needs: ReadonlyMap<Node, ReadonlySet<Node>>): Node[] | undefined {
  const done = new Set<Node>();
  for (const start of nodes) {
    const path: Node[] = [];
    const on = new Set<Node>();
    const stack: { node: Node; next: Iterator<Node> }[] = [];
    const enter = (node: Node) => {
      path.push(node);
      on.add(node);
      stack.push({ node, next: needs.get(node)!.values() });
    };
    if (!done.has(start)) enter(start);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const step = top.next.next();
      if (step.done) {
        stack.pop();
        path.pop();
        on.delete(top.node);
        done.add(top.node);
      } else if (on.has(step.value)) {
        const [first, ...rest] = path.slice(path.indexOf(step.value));
        return [first!, ...rest.reverse()];
      } else if (!done.has(step.value)) enter(step.value);
    }
  }
  return undefined;
}

const sparseNames = (graph: Graph): string[] =>
  (graph.rest?.graph.sparseInitializer ?? []).flatMap((s: SparseTensorProto) => s.values?.name ?? []);

function remedyFor(name: string, scope: Scope): string {
  const near = nearest(name, namesIn(scope));
  return near === undefined
    ? 'the file is incomplete: export the model again'
    : `did you mean "${near}"? Otherwise export the model again`;
}

function* namesIn(scope: Scope | undefined): Generator<string> {
  if (scope === undefined) return;
  yield* scope.defined.keys();
  yield* scope.produced;
  yield* namesIn(scope.parent);
}
