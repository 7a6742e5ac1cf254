/** @file What does not depend on the data is computed once: nodes over constants, and arithmetic on sizes that are the same for every batch. */
import { bytesPerElement, type Tensor } from '../../tensor/tensor.ts';
import { consumersOf, feedsOf, type Graph, type Node, readsOf } from '../graph.ts';
import { hoistConstants } from './control-flow/hoist.ts';
import { dropDead } from './drop-dead.ts';
import { hasBody } from './rewrite.ts';
import { type Execute, probeFeeds } from './shapes.ts';

export interface FoldOptions {
  /** Largest folded value in bytes; weights (inputs of convolutions, matrix products and normalisations beside the data) have no limit. */
  maxBytes?: number;
}

export const foldDefaults: Required<FoldOptions> = { maxBytes: 64 * 2 ** 20 };

const random = new Set(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli']);
const weighted = new Set([
  ...['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'BatchNormalization', 'InstanceNormalization', 'LayerNormalization'],
  ...['GroupNormalization', 'LSTM', 'GRU', 'RNN', 'Gather', 'PRelu'],
]);

/** Whether the node gives the same result for the same inputs every time and holds no graph of its own. */
export const isPure = (node: Node): boolean =>
  node.domain === '' && !random.has(node.op) && !hasBody(node) && !(node.op === 'Dropout' && (node.inputs[2] ?? '') !== '');

/** Replaces every node all of whose inputs are constants by its value, all of them in one run; those inside bodies of If, Loop and Scan too. */
export async function foldConstants(given: Graph, execute: Execute, options: FoldOptions = {}): Promise<Graph> {
  const graph = hoistConstants(given, isPure);
  const overridable = new Set(graph.inputs.map((v) => v.name));
  const known = new Set([...graph.initializers.keys()].filter((name) => !overridable.has(name)));
  const foldable = closure(graph, known, () => false);
  const inside = new Set(foldable);
  const wanted = new Set(graph.nodes.filter((n) => !inside.has(n)).flatMap(readsOf));
  const names = foldable.flatMap((n) => n.outputs.filter((o) => wanted.has(o)));
  if (names.length === 0) return graph;
  const values = await evaluate({ ...graph, inputs: [], nodes: foldable }, names, execute, {});
  return substitute(graph, values, options.maxBytes ?? foldDefaults.maxBytes);
}

/**
 * Replaces what is computed from sizes alone by constants, where running at two batch sizes gives the same value; chains that contain the batch stay.
 * Sizes of a graph whose batch is fixed in the file all look constant, so there only what no size enters (CastLike of a constant) is folded
 * unless `fixed` is set: a batch read from the input is worth keeping until its fate is known (symbolic-batch.ts).
 */
export async function foldSizes(graph: Graph, execute: Execute, options: { fixed?: boolean } = {}): Promise<Graph> {
  const symbolic = feedsOf(graph).some((v) => v.dims?.some((d) => typeof d !== 'number'));
  const readsSizes = symbolic || options.fixed === true;
  const foldable = closure(graph, new Set(graph.initializers.keys()), (node, known) =>
    node.op === 'CastLike' ? known.has(node.inputs[0]!) : readsSizes && (node.op === 'Shape' || node.op === 'Size'),
  );
  const names = foldable.flatMap((n) => n.outputs.filter((o) => o !== ''));
  if (names.length === 0) return graph;
  const runs: Map<string, Tensor>[] = [];
  for (const batch of symbolic ? [2, 3] : [1]) runs.push(await evaluate(graph, names, execute, probeFeeds(graph, batch)));
  const values = new Map([...runs[0]!].filter(([name, value]) => runs.every((run) => sameValue(run.get(name)!, value))));
  return substitute(graph, values, foldDefaults.maxBytes);
}

/** Nodes, in order, that only need what is known: constants, the outputs of nodes before them, or what `ignoresData` says. Results of the graph stay. */
function closure(graph: Graph, known: Set<string>, ignoresData: (node: Node, known: ReadonlySet<string>) => boolean): Node[] {
  const results = new Set(graph.outputs.map((v) => v.name));
  const isQuantised = graph.nodes.some((n) => n.op === 'QuantizeLinear');
  return graph.nodes.filter((node) => {
    const given = node.inputs.length > 0 && node.inputs.every((i) => i === '' || known.has(i));
    // beside quantised data, weights stay integers: the runtime then computes in integers, as it does with the file
    if (isQuantised && node.op === 'DequantizeLinear') return false;
    if (!isPure(node) || !(given || ignoresData(node, known)) || node.outputs.some((o) => results.has(o))) return false;
    for (const output of node.outputs) if (output !== '') known.add(output);
    return true;
  });
}

async function evaluate(
  graph: Graph,
  names: readonly string[],
  execute: Execute,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Map<string, Tensor>> {
  const outputs = names.map((name) => ({ name, dtype: undefined, dims: undefined }));
  const results = await execute(dropDead({ ...graph, outputs, values: new Map() }), feeds);
  return new Map(names.map((name) => [name, results[name]!]));
}

const sameValue = (a: Tensor, b: Tensor): boolean =>
  a.dims.join() === b.dims.join() && a.data.length === b.data.length && a.data.every((v, i) => Object.is(v, b.data[i]));

/** The graph with values in place of the nodes that made them; a node stays where one of its values is too big. */
function substitute(graph: Graph, values: ReadonlyMap<string, Tensor>, maxBytes: number): Graph {
  const consumers = consumersOf(graph);
  const isWeight = (name: string): boolean =>
    (consumers.get(name) ?? []).some(
      (n) => n.domain === '' && weighted.has(n.op) && n.inputs.indexOf(name, n.op === 'Gather' ? 0 : 1) >= 0,
    );
  const fits = (name: string): boolean => {
    const value = values.get(name)!;
    return value.dtype === 'string' || value.data.length * bytesPerElement(value.dtype) <= maxBytes || isWeight(name);
  };
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const found = node.outputs.filter((o) => values.has(o));
    const replaced = found.length > 0 && found.every(fits);
    if (replaced) for (const name of found) initializers.set(name, values.get(name)!);
    return !replaced;
  });
  return dropDead({ ...graph, nodes, initializers });
}
