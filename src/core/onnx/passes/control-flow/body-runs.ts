/** @file How the bodies of If, Loop and Scan are run on their own, with what the graph around them would hand in. */
import { isRefusal } from '../../../errors.ts';
import { i64, numbersOf, type Tensor, tensor } from '../../../tensor/tensor.ts';
import { bodiesOf, freeIn, type Graph, type Node, readsOf, type Value } from '../../graph.ts';
import { rewrite } from '../rewrite.ts';
import { splitRows } from '../symbolic-batch/rows.ts';
import { bodyOf, type ConstantOf, leadDims, runsOn, scanParts } from './loops.ts';

/** A run of a graph at one batch size. */
export interface Run {
  readonly graph: Graph;
  readonly batch: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** What was computed of the values asked for. */
  readonly values: Readonly<Record<string, Tensor>>;
}

/** Runs a graph, and hands back at least the values named. */
export type RunOnce<R extends Run> = (
  graph: Graph,
  batch: number,
  feeds: Readonly<Record<string, Tensor>>,
  names: readonly string[],
) => Promise<R>;

/** Turns of a loop that are looked at: what the second one changes is not the same in every turn. */
const turnsSeen = 2;

/** Runs of a body of a node, given a run of the graph around it; none where the body cannot be run with what the probe feeds. */
export async function runBody<R extends Run>(node: Node, body: Graph, around: Run, once: RunOnce<R>): Promise<R[]> {
  const held = (name: string): Tensor => {
    const value = around.feeds[name] ?? around.values[name] ?? around.graph.initializers.get(name);
    if (value === undefined) throw new Error(`${node.op} "${node.name}" reads "${name}", which has no value`);
    return value;
  };
  const captured = [...freeIn(body)];
  const constants = captured.filter((name) => around.graph.initializers.has(name) && !(name in around.feeds));
  const fed = Object.fromEntries(captured.filter((name) => !constants.includes(name)).map((name) => [name, held(name)]));
  const run = (own: readonly Tensor[]): Promise<R> => {
    const feeds = { ...fed, ...Object.fromEntries(body.inputs.map((v, i) => [v.name, own[i]!])) };
    const inputs = Object.entries(feeds).map(([name, t]): Value => ({ name, dtype: t.dtype, dims: t.dims }));
    const { opsets, irVersion } = around.graph;
    const initializers = new Map([...body.initializers, ...constants.map((name) => [name, held(name)] as const)]);
    const alone: Graph = { ...body, inputs, initializers, opsets, irVersion, outputs: [], values: new Map() };
    return once(
      alone,
      around.batch,
      feeds,
      body.outputs.map((v) => v.name),
    );
  };
  const runs: R[] = [];
  const turns = node.op === 'If' ? [[]] : turnsOf(node, held);
  let own = turns[0];
  for (let turn = 0; own !== undefined; turn++) {
    let made: R;
    try {
      made = await run(own);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // a branch not taken, or a turn that does not happen, need not suit the zeros of the probe: what stays unknown is refused where it is needed
      break;
    }
    runs.push(made);
    const next = turns[turn + 1];
    own = next && [...next.slice(0, lead(node)), ...statesAfter(node, body, made), ...next.slice(lead(node) + statesOf(node))];
  }
  return runs;
}

/** Inputs of a body before its states, and the number of those. */
const lead = (node: Node): number => (node.op === 'Loop' ? 2 : 0);
const statesOf = (node: Node): number => (node.op === 'Loop' ? node.inputs.length - 2 : scanParts(node).states);

const statesAfter = (node: Node, body: Graph, run: Run): Tensor[] =>
  body.outputs
    .slice(node.op === 'Loop' ? 1 : 0)
    .slice(0, statesOf(node))
    .map((v) => run.values[v.name]!);

/** What is fed to the body in its first turns; the states of all but the first are those the turn before left. */
function turnsOf(node: Node, held: (name: string) => Tensor): Tensor[][] {
  if (node.op === 'Loop') {
    const count = node.inputs[0] === '' ? turnsSeen : Math.min(turnsSeen, numbersOf(held(node.inputs[0]!))[0]!);
    const states = node.inputs.slice(2).map(held);
    const [counter, condition] = leadDims(bodyOf(node, 'body'));
    const go = tensor('bool', condition, Uint8Array.of(1));
    return Array.from({ length: Math.max(1, count) }, (_, turn) => [i64([turn], counter), go, ...states]);
  }
  const { states, inputAxes, inputDirections } = scanParts(node);
  const init = node.inputs.slice(0, states).map(held);
  const stacks = node.inputs.slice(states).map((name, i) => slicesOf(held(name), inputAxes[i]!, inputDirections[i] === 1));
  const length = Math.min(turnsSeen, ...stacks.map((s) => s.length));
  return Array.from({ length }, (_, turn) => [...init, ...stacks.map((s) => s[turn]!)]);
}

function slicesOf(value: Tensor, given: number, backwards: boolean): Tensor[] {
  const axis = given < 0 ? given + value.dims.length : given;
  const slices = splitRows(value, axis, value.dims[axis]!).map(
    (s) => ({ ...s, dims: s.dims.filter((_, i) => i !== axis) }) as Tensor,
  );
  return backwards ? slices.reverse() : slices;
}

/** The graph with every Loop whose length depends on the data made to run `turns` times, so that sizes which follow it show. */
export function withTurns(graph: Graph, turns: number): Graph {
  const constant: ConstantOf = (name) => graph.initializers.get(name);
  const follows = dataIn(graph);
  return rewrite(graph, (node, g) => {
    if (!isOpenLoop(node, constant, follows)) return false;
    const body = bodyOf(node, 'body');
    const limit = constant(node.inputs[0] ?? '');
    const count = g.constant(i64([limit === undefined ? turns : Math.min(turns, numbersOf(limit)[0]!)], []));
    const go = g.constant(tensor('bool', [], Uint8Array.of(1)));
    const always = g.fresh('goes_on');
    const identity: Node = { op: 'Identity', domain: '', name: '', inputs: [go], outputs: [always], attributes: new Map() };
    const forced: Graph = {
      ...body,
      nodes: [...body.nodes, identity],
      outputs: [{ name: always, dtype: 'bool', dims: [] }, ...body.outputs.slice(1)],
    };
    const attributes = new Map(node.attributes).set('body', { type: 'graph', value: forced });
    g.add({ ...node, inputs: [count, '', ...node.inputs.slice(2)], attributes });
    return true;
  });
}

/** Whether a graph, or a body in it, holds a Loop whose length depends on the data. */
export function hasOpenLoops(
  graph: Graph,
  constant: ConstantOf = (name) => graph.initializers.get(name),
  follows = dataIn(graph),
): boolean {
  return graph.nodes.some(
    (n) => isOpenLoop(n, constant, follows) || bodiesOf(n).some((body) => hasOpenLoops(body, constant, follows)),
  );
}

const isOpenLoop = (node: Node, constant: ConstantOf, follows: ReadonlySet<string>): boolean =>
  node.op === 'Loop' &&
  node.domain === '' &&
  (follows.has(node.inputs[0] ?? '') || follows.has(node.inputs[1] ?? '') || !runsOn(bodyOf(node, 'body'), constant));

/** Values that depend on what the inputs hold, not on their sizes alone. */
function dataIn(graph: Graph): Set<string> {
  const found = new Set(graph.inputs.filter((v) => !graph.initializers.has(v.name)).map((v) => v.name));
  for (const node of graph.nodes) {
    if (node.op === 'Shape' || node.op === 'Size') continue;
    if (readsOf(node).some((name) => found.has(name))) for (const output of node.outputs) if (output !== '') found.add(output);
  }
  return found;
}
