import { UserError } from '../errors.ts';
import { describeNode, type Graph, type Node, readsOf } from '../onnx/graph.ts';
import { renamed } from '../onnx/passes/control-flow/rename.ts';
import { nameBesides, type Twin } from './substitutes.ts';

export interface Spliced {
  readonly graph: Graph;
  /** Original value to the twin's value that receives its cotangent. */
  readonly standIn: ReadonlyMap<string, string>;
}

/** Puts the nodes of each twin beside what they stand for, fed with the same inputs; nothing reads their outputs but the backward walk. */
export function spliceTwins(graph: Graph, twins: readonly Twin[]): Spliced {
  const standIn = new Map<string, string>();
  let nodes = [...graph.nodes];
  const initializers = new Map(graph.initializers);
  for (const [t, twin] of twins.entries()) {
    if (twin.inputs.length !== twin.graph.inputs.length || twin.outputs.length !== twin.graph.outputs.length) {
      throw new Error(
        `twin "${twin.label}" has ${twin.graph.inputs.length} inputs and ${twin.graph.outputs.length} outputs for ${twin.inputs.length} and ${twin.outputs.length}`,
      );
    }
    const names = new Map(twin.graph.inputs.map((v, i) => [v.name, twin.inputs[i]!]));
    const rename = (name: string): string => (name === '' ? '' : (names.get(name) ?? nameBesides(t, name)));
    for (const [name, value] of twin.graph.initializers) initializers.set(rename(name), value);
    const copies = twin.graph.nodes.map(
      (n): Node => ({ ...renamed(n, rename), name: n.name === '' ? '' : nameBesides(t, n.name) }),
    );
    for (const [i, output] of twin.graph.outputs.entries()) standIn.set(twin.outputs[i]!, rename(output.name));
    const ready = Math.max(0, ...twin.inputs.map((input) => nodes.findIndex((n) => n.outputs.includes(input)) + 1));
    nodes = [...nodes.slice(0, ready), ...copies, ...nodes.slice(ready)];
  }
  // a twin that hands an input through stands for another twin's output where that is its input
  for (const [value, first] of standIn) {
    let last = first;
    while (standIn.has(last)) last = standIn.get(last)!;
    standIn.set(value, last);
  }
  return { graph: twins.length === 0 ? graph : { ...graph, nodes: inBackwardOrder(nodes, standIn), initializers }, standIn };
}

/**
 * The nodes in an order the walk can go back through: whoever reads a value comes after the twin that takes the value's cotangent, so that the twin has all
 * of it. A twin of a layer over several time steps reads its last step, and what reads the first step's output stood before that.
 */
function inBackwardOrder(nodes: readonly Node[], standIn: ReadonlyMap<string, string>): readonly Node[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const before = (node: Node): Node[] =>
    readsOf(node).flatMap((value) =>
      [value, standIn.get(value)].flatMap((name) => (name === undefined ? [] : (makers.get(name) ?? []))),
    );
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  for (const start of nodes) {
    // without recursion: a chain may be as long as the graph
    const stack = [start];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const waiting = before(node).filter((maker) => state.get(maker) !== 'done');
      if (waiting.length === 0) {
        state.set(node, 'done');
        order.push(node);
        stack.pop();
        continue;
      }
      state.set(node, 'open');
      const circle = waiting.find((maker) => state.get(maker) === 'open');
      if (circle !== undefined)
        throw new UserError(
          `${describeNode(circle)} feeds back on what a twin stands for: one twin cannot stand for all of its steps`,
          'choose a surrogate of the single nodes, which needs no order of the steps',
        );
      stack.push(...waiting);
    }
  }
  return order;
}
