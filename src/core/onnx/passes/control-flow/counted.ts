/** @file Loops that end by a condition which only counts (TensorFlow's while loops): how often they run is found by running the condition alone. */
import { i64, numbersOf } from '../../../tensor/tensor.ts';
import { graphBuilder } from '../../builder.ts';
import { type Graph, type Node, producersOf, type Value } from '../../graph.ts';
import { dropDead } from '../drop-dead.ts';
import { isPure } from '../fold-constants.ts';
import { rewrite } from '../rewrite.ts';
import type { Execute } from '../shapes.ts';
import { bodyOf, type ConstantOf, runsOn } from './loops.ts';

/** A loop that has not ended after so many turns is left as it is. */
const mostTurns = 10_000;

/**
 * The graph with a constant trip count, and no condition, for every Loop outside bodies whose condition depends on nothing but the number of the turn,
 * constants, and states that start as constants and are computed from these alone. The very same graph where there is none.
 */
export async function countLoops(graph: Graph, execute: Execute): Promise<Graph> {
  const overridable = new Set(graph.inputs.map((v) => v.name));
  const constant: ConstantOf = (name) => (overridable.has(name) ? undefined : graph.initializers.get(name));
  // by output: nodes with bodies are copied as they are walked
  const turns = new Map<string, number>();
  const resultOf = (node: Node): string => node.outputs.find((o) => o !== '')!;
  for (const node of graph.nodes) {
    if (node.op !== 'Loop' || node.domain !== '' || runsOn(bodyOf(node, 'body'), constant)) continue;
    const counter = counterOf(node, graph, constant);
    if (counter === undefined) continue;
    const found = numbersOf((await execute(counter, {})).turns!)[0]!;
    if (found < mostTurns) turns.set(resultOf(node), found);
  }
  if (turns.size === 0) return graph;
  return rewrite(graph, (node, g) => {
    const count = node.op === 'Loop' ? turns.get(resultOf(node)) : undefined;
    if (count === undefined) return false;
    const body = bodyOf(node, 'body');
    const goesOn = g.fresh('goes_on');
    const through: Node = {
      op: 'Identity',
      domain: '',
      name: '',
      inputs: [body.inputs[1]!.name],
      outputs: [goesOn],
      attributes: new Map(),
    };
    const free = dropDead({
      ...body,
      nodes: [...body.nodes, through],
      outputs: [{ ...body.outputs[0]!, name: goesOn }, ...body.outputs.slice(1)],
    });
    const attributes = new Map(node.attributes).set('body', { type: 'graph', value: free });
    g.add({ ...node, inputs: [g.constant(i64([count], [])), '', ...node.inputs.slice(2)], attributes });
    return true;
  });
}

/** A graph without inputs whose output `turns` says how often the loop runs; undefined where the data have a say in it. */
function counterOf(node: Node, graph: Graph, constant: ConstantOf): Graph | undefined {
  const body = bodyOf(node, 'body');
  const [count, start, ...initial] = [node.inputs[0] ?? '', node.inputs[1] ?? '', ...node.inputs.slice(2)];
  if ([count, start].some((name) => name !== '' && constant(name) === undefined)) return undefined;
  const producers = producersOf(body);
  const states = new Set<number>();
  const kept = new Set<Node>();
  const pending = [body.outputs[0]!.name];
  const seen = new Set(pending);
  const ask = (name: string): void => {
    if (name === '' || seen.has(name)) return;
    seen.add(name);
    pending.push(name);
  };
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const made = producers.get(name);
    const input = body.inputs.findIndex((v) => v.name === name);
    if (made !== undefined) {
      if (!isPure(made)) return undefined;
      kept.add(made);
      made.inputs.forEach(ask);
    } else if (input >= 2) {
      if (constant(initial[input - 2]!) === undefined) return undefined;
      states.add(input - 2);
      ask(body.outputs[input - 1]!.name);
    } else if (input < 0 && !body.initializers.has(name) && constant(name) === undefined) return undefined;
  }
  const own = [...states].sort((a, b) => a - b);
  const number: Value = body.inputs[0]!;
  const g = graphBuilder({ from: { ...graph, inputs: [], outputs: [], nodes: [], values: new Map() } });
  const turn = g.fresh('turn');
  const copy: Node = { op: 'Identity', domain: '', name: '', inputs: [number.name], outputs: [turn], attributes: new Map() };
  const counting: Graph = {
    ...body,
    inputs: [number, body.inputs[1]!, ...own.map((i) => body.inputs[i + 2]!)],
    nodes: [...body.nodes.filter((n) => kept.has(n)), copy],
    outputs: [body.outputs[0]!, ...own.map((i) => body.outputs[i + 1]!), { ...number, name: turn }],
  };
  const limit = count === '' ? mostTurns : Math.min(mostTurns, numbersOf(constant(count)!)[0]!);
  const results = [...own.map((i) => g.fresh(`state_${i}`)), g.fresh('listed')];
  const inputs = [g.constant(i64([limit], [])), start, ...own.map((i) => initial[i]!)];
  g.add({
    op: 'Loop',
    domain: '',
    name: '',
    inputs,
    outputs: results,
    attributes: new Map([['body', { type: 'graph', value: counting }]]),
  });
  g.op('Shape', [results.at(-1)!], { start: 0, end: 1 }, 'turns');
  g.output('turns', [1], 'int64');
  return dropDead(g.build());
}
