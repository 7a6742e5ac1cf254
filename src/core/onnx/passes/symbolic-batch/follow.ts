/** @file The batch followed through the graph node by node: each is run alone, on the values of a larger batch, and written so that it gives every sample what the original does. */
import { isRefusal } from '../../../errors.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { sizeOf } from '../../../tensor/tensor.ts';
import { graphBuilder } from '../../builder.ts';
import { describeNode, feedsOf, type Graph, type Node, readsOf } from '../../graph.ts';
import { sequencesOf } from '../sequences.ts';
import type { Execute, ShapeTable } from '../shapes.ts';
import { type Before, findRows, type Group } from './labels.ts';
import { movedReshapes, otherAxes } from './moved.ts';
import { feedOf } from './proof.ts';
import { isSite, type Measured, type Rewrite, waysOf } from './sites.ts';

export interface FollowOptions {
  readonly batch: number;
  readonly batchAxis: Readonly<Record<string, number>>;
  readonly shapes: ShapeTable;
}

/** Elements of all values of all runs together, above which they are not kept. */
const mostElements = 2 ** 27;
/** Times a choice is taken back. */
const mostReturns = 200;

const asIs: Rewrite = (g, node) => g.add(node);

interface Choice {
  readonly ways: readonly Rewrite[];
  chosen: number;
}

/**
 * How each node that cannot stay as it is has to be written, by node; a string names the node at which following the batch ends.
 * Every node is run once, with what the nodes before it gave: no prefix of the graph is run again.
 */
export async function followBatch(graph: Graph, execute: Execute, options: FollowOptions): Promise<Map<Node, Rewrite> | string> {
  const { batch, batchAxis, shapes } = options;
  if (sequencesOf(graph).size > 0) return 'it holds sequences';
  const all = batch + 1;
  const kept = graph.nodes.flatMap((n) => n.outputs).filter((name) => name !== '');
  const elements = kept.reduce((sum, name) => sum + sizeOf((shapes.get(name)?.dims ?? []).map((d) => d ?? 1)), 0);
  if (elements * (all + 2 * batch) > mostElements * batch) return 'its values are too many to be kept';

  const groups = [range(batch, 0, all), range(batch, batch, all)];
  const alone = await Promise.all(groups.map((rows) => execute(withOutputs(graph, kept), feedOf(graph, rows, batchAxis))));
  const groupsOf = (name: string): Group[] => groups.map((rows, i) => ({ rows, value: alone[i]![name]! }));
  const known = new Map<string, Tensor>(Object.entries(feedOf(graph, range(all, 0, all), batchAxis)));
  const before = new Map<string, Before>(Object.keys(batchAxis).map((name) => [name, beforeAxis(graph, name, batchAxis[name]!)]));
  const measured: Measured = {
    graph,
    batch,
    atHome: (name) => (shapes.get(name)?.dims ?? []) as readonly number[],
    abroad: (name) => known.get(name)?.dims ?? [],
  };
  const rankOf = (name: string): number => shapes.get(name)?.dims.length ?? 0;
  const choices = new Map<Node, Choice>();
  let returns = 0;
  for (let at = 0; at < graph.nodes.length; at++) {
    const node = graph.nodes[at]!;
    if (node.outputs.every((name) => name === '' || known.has(name))) continue;
    const choice = choices.get(node) ?? {
      ways: [
        ...(isSite(graph, node, batch, rankOf) ? waysOf(node, measured) : [asIs]),
        ...movedReshapes(node, measured, before),
        ...otherAxes(node, measured, before),
      ],
      chosen: 0,
    };
    choices.set(node, choice);
    const found = await firstFitting(node, choice, { graph, known, all, execute, groupsOf });
    if (found !== undefined) {
      for (const [name, { value, before: where }] of found) {
        known.set(name, value);
        before.set(name, where);
      }
      continue;
    }
    const back = latestOpen(graph, at, choices);
    if (back === undefined || ++returns > mostReturns)
      return `no way was found to write ${describeNode(node)} for another batch size`;
    choices.get(graph.nodes[back]!)!.chosen++;
    forget(graph, back, known, choices);
    at = back - 1;
  }
  return new Map([...choices].map(([node, { ways, chosen }]) => [node, ways[chosen]!]));
}

const range = (count: number, start: number, all: number): number[] => Array.from({ length: count }, (_, i) => (start + i) % all);

const withOutputs = (graph: Graph, names: readonly string[]): Graph => ({
  ...graph,
  outputs: names.map((name) => ({ name, dtype: undefined, dims: undefined })),
});

const beforeAxis = (graph: Graph, name: string, axis: number): number =>
  sizeOf(
    feedsOf(graph)
      .find((v) => v.name === name)!
      .dims!.slice(0, axis) as number[],
  );

interface Trial {
  readonly graph: Graph;
  readonly known: ReadonlyMap<string, Tensor>;
  readonly all: number;
  readonly execute: Execute;
  groupsOf(name: string): Group[];
}

type Found = Map<string, { readonly value: Tensor; readonly before: Before }>;

/** Goes on from the chosen way to the first that gives every sample its own; undefined where none does. */
async function firstFitting(node: Node, choice: Choice, trial: Trial): Promise<Found | undefined> {
  for (; choice.chosen < choice.ways.length; choice.chosen++) {
    const found = await tryWay(node, choice.ways[choice.chosen]!, trial);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function tryWay(node: Node, way: Rewrite, { graph, known, all, execute, groupsOf }: Trial): Promise<Found | undefined> {
  const reads = [...new Set(readsOf(node))].filter((name) => name !== '');
  const constants = new Map(
    reads.flatMap((name) => (graph.initializers.has(name) ? [[name, graph.initializers.get(name)!]] : [])),
  );
  const given = reads.filter((name) => known.has(name));
  const inputs = given.map((name) => ({ name, dtype: known.get(name)!.dtype, dims: known.get(name)!.dims }));
  const g = graphBuilder({
    from: { ...graph, nodes: [], inputs, outputs: [], initializers: constants, values: new Map() },
    taken: new Set(node.outputs),
  });
  way(g, node, () => g.ints([all]));
  const outputs = node.outputs.filter((name) => name !== '');
  for (const name of outputs) g.untypedOutput(name);
  let results: Record<string, Tensor>;
  try {
    results = await execute(g.build(), Object.fromEntries(given.map((name) => [name, known.get(name)!])));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
  const found: Found = new Map();
  for (const name of outputs) {
    const rows = findRows(results[name]!, groupsOf(name));
    if (rows === null) return undefined;
    found.set(name, { value: results[name]!, before: rows.before });
  }
  return found;
}

/** Takes back what the node at `from` gave, and everything made of it. */
function forget(graph: Graph, from: number, known: Map<string, Tensor>, choices: Map<Node, Choice>): void {
  const gone = new Set(graph.nodes[from]!.outputs);
  for (const node of graph.nodes.slice(from + 1)) {
    if (!readsOf(node).some((name) => name !== '' && gone.has(name))) continue;
    choices.delete(node);
    for (const name of node.outputs) gone.add(name);
  }
  for (const name of gone) known.delete(name);
}

/** The latest node the one at `at` depends on that can be written in another way. */
function latestOpen(graph: Graph, at: number, choices: ReadonlyMap<Node, Choice>): number | undefined {
  const needed = new Set(readsOf(graph.nodes[at]!));
  for (let i = at - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    const choice = choices.get(node);
    if (choice !== undefined && choice.chosen + 1 < choice.ways.length) return i;
    for (const name of readsOf(node)) needed.add(name);
  }
  return undefined;
}
