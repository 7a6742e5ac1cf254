/** @file Control flow whose course is fixed, written out: the branch an If always takes, the turns of a Loop or Scan of known length. */
import { i64, tensor } from '../../../tensor/tensor.ts';
import type { GraphBuilder } from '../../builder.ts';
import { bodiesOf, type Graph, type Node } from '../../graph.ts';
import { hasBody, rewrite } from '../rewrite.ts';
import { bodyOf, type ConstantOf, leadDims, scanParts, tripsOf, truth } from './loops.ts';
import { plainBodies } from './plain-bodies.ts';
import { definedIn, renamed } from './rename.ts';

export interface UnrollOptions {
  /** Largest number of nodes one loop may become; a longer one stays a loop. */
  maxNodes?: number;
}

export const unrollDefaults: Required<UnrollOptions> = { maxNodes: 2000 };

/** The size of an axis of a value (an axis below 0 counts from the end), undefined where it is not fixed. */
export type SizeOf = (name: string, axis: number) => number | undefined;

/**
 * The graph with every If of constant condition replaced by its branch, and every Loop of constant trip count and Scan of known length by its turns.
 * The bodies must be plain (plain-bodies.ts). Returns the very same graph where there is nothing to do; what was inside may be fixed now, so ask again.
 */
export function unroll(graph: Graph, sizeOf: SizeOf, options: UnrollOptions = {}): Graph {
  const maxNodes = options.maxNodes ?? unrollDefaults.maxNodes;
  const overridable = new Set(graph.inputs.map((v) => v.name));
  const constant: ConstantOf = (name) => (overridable.has(name) ? undefined : graph.initializers.get(name));
  let changed = false;
  const opened = rewrite(graph, (node, g) => {
    if (!hasBody(node) || node.domain !== '') return false;
    const done = write(node, g, constant, sizeOf, maxNodes);
    changed ||= done;
    return done;
  });
  return changed ? plainBodies(opened) : graph;
}

function write(node: Node, g: GraphBuilder, constant: ConstantOf, sizeOf: SizeOf, maxNodes: number): boolean {
  const fits = (turns: number): boolean => turns * countNodes(bodyOf(node, 'body')) <= maxNodes;
  switch (node.op) {
    case 'If': {
      const taken = truth(constant(node.inputs[0]!));
      if (taken === undefined) return false;
      place(g, bodyOf(node, taken ? 'then_branch' : 'else_branch'), [], node.outputs);
      return true;
    }
    case 'Loop': {
      const trips = tripsOf(node, constant);
      if (trips === undefined || !fits(trips)) return false;
      return writeLoop(node, g, trips);
    }
    case 'Scan': {
      const { states, inputAxes } = scanParts(node);
      const length = sizeOf(node.inputs[states]!, inputAxes[0]!);
      if (length === undefined || length === 0 || !fits(length)) return false;
      writeScan(node, g, length);
      return true;
    }
    default:
      return false;
  }
}

const countNodes = (body: Graph): number =>
  body.nodes.reduce((sum, n) => sum + 1 + bodiesOf(n).reduce((inner, b) => inner + countNodes(b), 0), 0);

/** Writes the nodes of a body whose inputs are `inputs` so that its results have the names `outputs` ('' for one nobody reads). */
function place(g: GraphBuilder, body: Graph, inputs: readonly string[], outputs: readonly string[]): string[] {
  const names = new Map(body.inputs.map((v, i) => [v.name, inputs[i]!]));
  for (const [i, { name }] of body.outputs.entries()) if ((outputs[i] ?? '') !== '') names.set(name, outputs[i]!);
  for (const name of definedIn(body)) if (!names.has(name)) names.set(name, g.fresh(name));
  const rename = (name: string): string => names.get(name) ?? name;
  for (const node of body.nodes) g.add({ ...renamed(node, rename), name: node.name === '' ? '' : g.fresh(node.name) });
  for (const [name, value] of body.initializers) g.constant(value, rename(name));
  return body.outputs.map((v) => rename(v.name));
}

/** Names of the results of turn `turn`: the last one leaves the states where the node did. */
const statesAfter = (node: Node, turn: number, turns: number, states: number): string[] =>
  Array.from({ length: states }, (_, i) => (turn === turns - 1 ? (node.outputs[i] ?? '') : ''));

function writeLoop(node: Node, g: GraphBuilder, trips: number): boolean {
  const body = bodyOf(node, 'body');
  const states = node.inputs.length - 2;
  const stacks = node.outputs.slice(states);
  // what an empty stack holds only the runtime knows
  if (trips === 0 && stacks.some((name) => name !== '')) return false;
  let current = node.inputs.slice(2);
  const parts: string[][] = stacks.map(() => []);
  const [counter, condition] = leadDims(body);
  const go = g.constant(tensor('bool', condition, Uint8Array.of(1)));
  for (let turn = 0; turn < trips; turn++) {
    const number = g.constant(i64([turn], counter));
    const made = place(g, body, [number, go, ...current], ['', ...statesAfter(node, turn, trips, states)]);
    current = made.slice(1, 1 + states);
    for (const [i, part] of parts.entries()) part.push(made[1 + states + i]!);
  }
  if (trips === 0)
    for (const [i, name] of current.entries()) if ((node.outputs[i] ?? '') !== '') g.ops('Identity', [name], [node.outputs[i]!]);
  for (const [i, part] of parts.entries()) stack(g, part, 0, stacks[i]!);
  return true;
}

function writeScan(node: Node, g: GraphBuilder, length: number): void {
  const s = scanParts(node);
  const stacks = node.outputs.slice(s.states);
  const slices = node.inputs.slice(s.states).map((name, i) => {
    const axis = s.inputAxes[i]!;
    const cut = length === 1 ? [name] : g.ops('Split', [name], length, { axis, num_outputs: length });
    const parts = cut.map((part) => g.op('Squeeze', [part, g.ints([axis])]));
    return s.inputDirections[i] === 1 ? parts.reverse() : parts;
  });
  let current = node.inputs.slice(0, s.states);
  const parts: string[][] = stacks.map(() => []);
  for (let turn = 0; turn < length; turn++) {
    const made = place(g, s.body, [...current, ...slices.map((x) => x[turn]!)], statesAfter(node, turn, length, s.states));
    current = made.slice(0, s.states);
    for (const [i, part] of parts.entries()) part.push(made[s.states + i]!);
  }
  for (const [i, part] of parts.entries())
    stack(g, s.outputDirections[i] === 1 ? part.reverse() : part, s.outputAxes[i]!, stacks[i]!);
}

/** The results of all turns along a new axis. */
function stack(g: GraphBuilder, parts: readonly string[], axis: number, name: string): void {
  if (name === '') return;
  const slices = parts.map((part) => g.op('Unsqueeze', [part, g.ints([axis])]));
  g.ops('Concat', slices, [name], { axis });
}
