/** @file Reverse-mode differentiation, graph to graph: the forward nodes, then the cotangents in reverse order, then what nobody reads is dropped. */
import { UserError } from '../errors.ts';
import { graphBuilder } from '../onnx/builder.ts';
import { type Dim, describeNode, feedsOf, type Graph, type Node, nodeName } from '../onnx/graph.ts';
import { capturedBy, dropDead } from '../onnx/passes/drop-dead.ts';
import { type Execute, inferShapes, type ShapeTable } from '../onnx/passes/shapes.ts';
import { enterBlockedLayout } from './blocked-layout.ts';
import type { Entry, PerNode, Provider, Rule } from './rule.ts';
import { isRuled, rules } from './rules/index.ts';
import { sceneOf } from './scene.ts';
import { matches, type Surrogate, type Twin } from './substitutes.ts';
import { type Spliced, spliceTwins } from './twins.ts';

export interface GradientOptions {
  /** Outputs that are differentiated: of their summed elements, unless `cotangents` says otherwise. */
  of: readonly string[];
  /** Values to differentiate with respect to: inputs, initializers or intermediates. */
  wrt: readonly string[];
  /** Feed dL/d(of) in, as inputs named `cotangent_NAME` (a vector-Jacobian product). */
  cotangents?: boolean;
  surrogates?: readonly Surrogate[];
  twins?: readonly Twin[];
  provider?: Provider;
}

/** A node at which the gradient ends. */
export interface Cut {
  readonly node: string;
  readonly op: string;
}

export interface GradientGraph {
  /** The forward graph with the gradients as further outputs. */
  readonly graph: Graph;
  /** Name of the output that holds each gradient; a value no path leads to has a gradient of zeros. */
  readonly gradients: Readonly<Record<string, string>>;
  readonly cuts: readonly Cut[];
  /** Stand-ins that were used: label and node (or twin outputs). */
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
}

export const gradientDefaults = { cotangents: false, provider: 'cpu' } as const;

/**
 * The gradient of `of` with respect to `wrt` as an ONNX graph that still computes the original outputs.
 * `graph` must be prepared (passes/prepare.ts: opset >= 18, constants folded); its shapes are asked of the runtime through `execute`.
 * Throws a UserError naming the node when an op on the path has no rule.
 */
export async function gradient(graph: Graph, execute: Execute, options: GradientOptions): Promise<GradientGraph> {
  const spliced = spliceTwins(graph, options.twins ?? []);
  return backward(spliced, await inferShapes(spliced.graph, execute), options);
}

/** The walk itself, over a graph all of whose shapes are known. */
export function backward({ graph, standIn }: Spliced, shapes: ShapeTable, options: GradientOptions): GradientGraph {
  const g = graphBuilder({ from: graph });
  const active = reachable(graph, options, standIn);
  const adjoints = new Map<string, string[]>();
  const replaced = new Set<string>();
  const contribute = (value: string, cotangent: string) => {
    if (g.isComputed(cotangent))
      g.declare({ name: cotangent, dtype: scene.dtype(value), dims: declaredDims(graph, shapes, value) });
    const target = standIn.get(value) ?? value;
    if (standIn.has(value)) replaced.add(value);
    const list = adjoints.get(target);
    if (list) list.push(cotangent);
    else adjoints.set(target, [cotangent]);
  };
  const sum = (value: string): string | undefined => {
    const parts = adjoints.get(value);
    if (parts === undefined) return undefined;
    const total = parts.length === 1 ? parts[0]! : g.op(parts.length === 2 ? 'Add' : 'Sum', parts);
    if (parts.length > 1) g.declare({ name: total, dtype: scene.dtype(value), dims: declaredDims(graph, shapes, value) });
    adjoints.set(value, [total]);
    return total;
  };
  const scene = sceneOf(g, graph, shapes, options.provider ?? gradientDefaults.provider);
  const cuts: Cut[] = [];
  const substitutes: { label: string; at: string }[] = [];

  for (const value of options.of) {
    if (options.cotangents) contribute(value, g.input(`cotangent_${value}`, scene.dims(value), scene.dtype(value)));
    else contribute(value, scene.filled(value, 1));
  }
  for (const node of [...graph.nodes].reverse()) {
    const isActive = (input: string | undefined): boolean => input !== undefined && active.has(standIn.get(input) ?? input);
    if (!readsOf(node).some(isActive) || !node.outputs.some((o) => adjoints.has(o))) continue;
    const surrogate = options.surrogates?.find((s) => matches(s.match, node));
    const general = surrogate?.rule ?? entryOf(node);
    const entry = isPerNode(general) ? general.perNode(node, scene) : general;
    if (surrogate) substitutes.push({ label: surrogate.label, at: nodeName(node) });
    if (entry === 'cuts') cuts.push({ node: nodeName(node), op: node.op });
    if (typeof entry === 'string') continue;
    const [rule, broadcasts]: [Rule, boolean] = typeof entry === 'function' ? [entry, false] : [entry.broadcasting, true];
    const cotangents = rule(node.outputs.map(sum), node, { ...scene, active: (i) => isActive(node.inputs[i]) });
    for (const [i, cotangent] of cotangents.entries()) {
      const input = node.inputs[i];
      if (cotangent === undefined || input === undefined || input === '' || !isActive(input)) continue;
      contribute(input, broadcasts ? scene.sumTo(cotangent, node.outputs[0]!, input) : cotangent);
    }
  }

  for (const { label, outputs } of options.twins ?? [])
    if (outputs.some((o) => replaced.has(o))) substitutes.push({ label, at: outputs.join(', ') });

  const gradients: Record<string, string> = {};
  for (const name of options.wrt) {
    const total = sum(standIn.get(name) ?? name) ?? scene.filled(name, 0);
    // a copy only where the gradient is not a value of its own: an output may not be an input, a constant, or another output
    const own = g.isComputed(total) && !Object.values(gradients).includes(total) && !graph.outputs.some((v) => v.name === total);
    gradients[name] = own ? total : g.op('Identity', [total], {}, g.fresh(`grad_${name}`));
    g.output(gradients[name]!, outputDims(graph, name, scene.dims(name)), scene.dtype(name));
  }
  const made = dropDead(g.build());
  return { graph: scene.provider === 'cpu' ? enterBlockedLayout(made) : made, gradients, cuts, substitutes };
}

/**
 * The sizes a cotangent is declared with: those of its value, the batch by the name the inputs give it. The runtime loses the batch's name at the first
 * reshape, and then gives up layouts and fusions that need to know that two sizes are equal.
 */
function declaredDims(graph: Graph, shapes: ShapeTable, name: string): readonly Dim[] {
  const { dims, batchAxes = [] } = shapes.get(name)!;
  const symbol = feedsOf(graph)
    .flatMap((v) => v.dims ?? [])
    .find((d) => typeof d === 'string');
  return dims.map((d, axis) => (batchAxes.includes(axis) ? (symbol ?? null) : d));
}

/** The sizes an output is declared with: those of the graph input it belongs to, symbols included, or what is known. */
const outputDims = (graph: Graph, name: string, known: readonly (number | null)[]): readonly Dim[] =>
  graph.inputs.find((v) => v.name === name)?.dims ?? known;

/** Values that depend on `wrt`, following derivatives through twins rather than what they stand for; sizes and indices end the path. */
function reachable(graph: Graph, options: GradientOptions, standIn: ReadonlyMap<string, string>): Set<string> {
  const reached = new Set(options.wrt.map((name) => standIn.get(name) ?? name));
  for (const node of graph.nodes) {
    const constant = node.domain === '' && isRuled(node.op) && (rules[node.op] as Entry) === 'zero';
    if (constant && !options.surrogates?.some((s) => matches(s.match, node))) continue;
    if (readsOf(node).some((i) => reached.has(standIn.get(i) ?? i)))
      for (const output of node.outputs) if (output !== '') reached.add(output);
  }
  for (const name of standIn.keys()) reached.delete(name);
  return reached;
}

/** Values a node depends on: its inputs, and those its bodies (If, Loop, Scan) take from around it. */
const readsOf = (node: Node): string[] => [
  ...node.inputs,
  ...[...node.attributes.values()].flatMap((a) => (a.type === 'graph' ? capturedBy(a.value) : [])),
];

const isPerNode = (entry: Entry): entry is PerNode => typeof entry === 'object' && 'perNode' in entry;

function entryOf(node: Node): Entry {
  if (node.domain === '' && isRuled(node.op)) return rules[node.op];
  throw new UserError(
    `${describeNode(node)} lies on the gradient path and has no derivative rule`,
    `choose a stand-in for it (surrogates: { match: { op: ${node.op} }, use: straight-through }), attack without gradients, or export the model without this op`,
  );
}
