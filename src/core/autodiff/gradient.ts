/** @file Reverse-mode differentiation, graph to graph: the forward nodes, then the cotangents in reverse order, then what nobody reads is dropped. */
import { UserError } from '../errors.ts';
import { forCpu } from '../layout/for-cpu.ts';
import { type GraphBuilder, graphBuilder } from '../onnx/builder.ts';
import { type Dim, describeNode, feedsOf, type Graph, type Node, nodeName, readsOf } from '../onnx/graph.ts';
import { plainBodies } from '../onnx/passes/control-flow/plain-bodies.ts';
import { dropDead } from '../onnx/passes/drop-dead.ts';
import { type Execute, inferShapes, type ShapeTable } from '../onnx/passes/shapes.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Memory, refuseMemory, remembering } from './memory.ts';
import type { Entry, FlowScene, PerNode, Provider, Rule } from './rule.ts';
import { isRuled, rules } from './rules/index.ts';
import { sceneOf, type WalkerScene } from './scene.ts';
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
  /** Names of `wrt` that no path leads to: their gradients are zeros, whatever is fed. */
  readonly unreached: readonly string[];
  /** Stand-ins that were used: label and node (or twin outputs). */
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
  /** What is to be carried from one run to the next, where a stand-in asks for it: further inputs and outputs of the graph. */
  readonly memories: readonly Memory[];
}

export const gradientDefaults = { cotangents: false, provider: 'cpu' } as const;

/**
 * The gradient of `of` with respect to `wrt` as an ONNX graph that still computes the original outputs.
 * `graph` must be prepared (passes/prepare.ts: opset >= 18, constants folded); its shapes are asked of the runtime through `execute`.
 * Throws a UserError naming the node when an op on the path has no rule.
 */
export async function gradient(graph: Graph, execute: Execute, options: GradientOptions): Promise<GradientGraph> {
  const spliced = spliceTwins(graph, options.twins ?? []);
  const plain = plainBodies(spliced.graph);
  return backward({ ...spliced, graph: plain }, await inferShapes(plain, execute), options);
}

/** The walk itself, over a graph all of whose shapes are known and whose bodies are plain (control-flow/plain-bodies.ts). */
export function backward({ graph, standIn }: Spliced, shapes: ShapeTable, options: GradientOptions): GradientGraph {
  const taken = new Set<string>();
  const g = graphBuilder({ from: graph, taken });
  const constant = (name: string) => graph.initializers.get(name);
  const found: Found = { cuts: [], substitutes: [], replaced: new Set() };
  const memories: Memory[] = [];
  const walk = walkBack(g, { graph, standIn }, shapes, options, { taken, constant, found, memories }, ({ scene, contribute }) => {
    for (const value of options.of) {
      if (options.cotangents) contribute(value, g.input(`cotangent_${value}`, scene.dims(value), scene.dtype(value)));
      else contribute(value, scene.filled(value, 1));
    }
  });
  const { cuts, substitutes, replaced } = found;
  for (const { label, outputs } of options.twins ?? [])
    if (outputs.some((o) => replaced.has(o))) substitutes.push({ label, at: outputs.join(', ') });

  const gradients: Record<string, string> = {};
  const unreached = options.wrt.filter((name) => walk.adjoint(standIn.get(name) ?? name) === undefined);
  for (const name of options.wrt) {
    const total = walk.adjoint(standIn.get(name) ?? name) ?? walk.scene.filled(name, 0);
    gradients[name] = ownOutput(g, total, name, [...graph.outputs.map((v) => v.name), ...Object.values(gradients)]);
    g.output(gradients[name]!, outputDims(graph, name, walk.scene.dims(name)), walk.scene.dtype(name));
  }
  const made = dropDead(g.build());
  return {
    graph: walk.scene.provider === 'cpu' ? forCpu(made, (name) => shapes.get(name)?.dims ?? made.values.get(name)?.dims) : made,
    gradients,
    cuts,
    unreached,
    substitutes,
    memories,
  };
}

/** What a walk leaves for the report, those of bodies in the same lists. */
interface Found {
  readonly cuts: Cut[];
  readonly substitutes: { label: string; at: string }[];
  /** Values whose cotangents went to a twin. */
  readonly replaced: Set<string>;
}

/** What a walk shares with those inside the bodies of its graph. */
interface Whole {
  readonly taken: Set<string>;
  readonly constant: (name: string) => Tensor | undefined;
  readonly found: Found;
  /** Undefined inside bodies. */
  readonly memories?: Memory[];
}

interface Walk {
  readonly scene: WalkerScene;
  readonly contribute: (value: string, cotangent: string) => void;
  /** The summed cotangent of a value, undefined where nothing contributed. */
  readonly adjoint: (value: string) => string | undefined;
}

type Shared = Pick<GradientOptions, 'wrt' | 'surrogates' | 'provider'>;

/** Writes to `g`, which continues the graph, the cotangents of all values on the way from what `seed` contributes to `wrt`. */
function walkBack(
  g: GraphBuilder,
  { graph, standIn }: Spliced,
  shapes: ShapeTable,
  options: Shared,
  whole: Whole,
  seed: (walk: Walk) => void,
): Walk {
  const { found } = whole;
  const active = reachable(graph, options.wrt, options.surrogates, standIn);
  const adjoints = new Map<string, string[]>();
  // what passes on through integers is a float number all the same
  const declare = (name: string, value: string): void => {
    const dtype = scene.dtype(value);
    if (dtype.startsWith('float') && g.isComputed(name)) g.declare({ name, dtype, dims: declaredDims(graph, shapes, value) });
  };
  const contribute = (value: string, cotangent: string): void => {
    declare(cotangent, value);
    const target = standIn.get(value) ?? value;
    if (standIn.has(value)) found.replaced.add(value);
    const list = adjoints.get(target);
    if (list) list.push(cotangent);
    else adjoints.set(target, [cotangent]);
  };
  const sum = (value: string): string | undefined => {
    const parts = adjoints.get(value);
    if (parts === undefined) return undefined;
    const total = parts.length === 1 ? parts[0]! : g.op(parts.length === 2 ? 'Add' : 'Sum', parts);
    if (parts.length > 1) declare(total, value);
    adjoints.set(value, [total]);
    return total;
  };
  const nodeNamed = new Map(graph.nodes.map((node) => [node.name, node]));
  const scene: WalkerScene = {
    ...sceneOf(g, whole.constant, shapes, options.provider ?? gradientDefaults.provider, (name) => nodeNamed.get(name)),
    remember:
      whole.memories === undefined
        ? refuseMemory
        : remembering(
            { g, shape: (name) => shapes.get(name)!, declared: (name) => declaredDims(graph, shapes, name) },
            whole.memories,
          ),
  };
  const walk: Walk = { scene, contribute, adjoint: sum };
  seed(walk);

  const isActive = (input: string | undefined): boolean => input !== undefined && active.has(standIn.get(input) ?? input);
  const isWhole = wholeNumbers(graph, shapes, options.surrogates);
  const cotangentsOf = (node: Node) => node.outputs.map((o) => (isWhole(o) ? undefined : sum(o)));
  for (const node of [...graph.nodes].reverse()) {
    const asked = node.outputs.filter((o) => adjoints.has(o));
    if (!readsOf(node).some(isActive) || asked.length === 0) continue;
    if (asked.every(isWhole)) {
      // no derivative passes here, but whoever made these numbers from floats is to be named
      const inputs = readsOf(node).filter(isActive);
      for (const input of inputs) if (isWhole(input)) contribute(input, adjoints.get(asked[0]!)![0]!);
      if (!inputs.every(isWhole)) found.cuts.push({ node: nodeName(node), op: node.op });
      continue;
    }
    const surrogate = options.surrogates?.find((s) => matches(s.match, node));
    const general = surrogate?.rule ?? entryOf(node);
    const entry = isPerNode(general) ? general.perNode(node, scene) : general;
    if (surrogate) found.substitutes.push({ label: surrogate.label, at: nodeName(node) });
    if (entry === 'cuts') found.cuts.push({ node: nodeName(node), op: node.op });
    if (typeof entry === 'string') continue;
    if (typeof entry === 'object' && 'flow' in entry) {
      const around = flowScene(node, scene, isActive, shapes, options, whole);
      for (const [value, cotangent] of entry.flow(cotangentsOf(node), node, around))
        if (isActive(value)) contribute(value, cotangent);
      continue;
    }
    const [rule, broadcasts]: [Rule, boolean] = typeof entry === 'function' ? [entry, false] : [entry.broadcasting, true];
    const cotangents = rule(cotangentsOf(node), node, { ...scene, active: (i) => isActive(node.inputs[i]) });
    for (const [i, cotangent] of cotangents.entries()) {
      const input = node.inputs[i];
      if (cotangent === undefined || input === undefined || input === '' || !isActive(input)) continue;
      contribute(input, broadcasts ? scene.sumTo(cotangent, node.outputs[0]!, input) : cotangent);
    }
  }
  return walk;
}

/** Which values are integers or booleans that carry no derivative: all of them, unless a surrogate stands in where floats become integers. */
function wholeNumbers(graph: Graph, shapes: ShapeTable, surrogates: Shared['surrogates'] = []): (name: string) => boolean {
  const isWhole = (name: string): boolean => shapes.has(name) && !shapes.get(name)!.dtype.startsWith('float');
  const carried = graph.nodes.some((node) => node.outputs.some(isWhole) && surrogates.some((s) => matches(s.match, node)));
  return carried ? () => false : isWhole;
}

/** What the rule of a node with bodies may ask: the same walk goes through a body, on its own graph. */
function flowScene(
  node: Node,
  scene: WalkerScene,
  isActive: (name: string) => boolean,
  shapes: ShapeTable,
  { surrogates, provider }: Shared,
  whole: Whole,
): FlowScene {
  const shared = { ...(surrogates === undefined ? {} : { surrogates }), ...(provider === undefined ? {} : { provider }) };
  return {
    ...scene,
    taken: whole.taken,
    onPath: isActive,
    varies: (name) => shapes.get(name)?.varies === true,
    reach: (body, from) => reachable(body, from, surrogates, new Map()),
    differentiate(body, seeds, wrt) {
      refuseUnknown(node, body, shapes);
      // sizes the file states inside would be a second opinion
      const graph = { ...body, inputs: body.inputs.map((v) => ({ ...v, dims: undefined })), outputs: [], values: new Map() };
      const g = graphBuilder({ from: graph, taken: whole.taken });
      const { memories: _, ...inside } = whole;
      const walk = walkBack(g, { graph, standIn: new Map() }, shapes, { ...shared, wrt }, inside, ({ contribute }) => {
        for (const [result, cotangent] of seeds) contribute(result, cotangent);
      });
      const outputs: string[] = [];
      for (const name of wrt) {
        const made = ownOutput(g, walk.adjoint(name) ?? walk.scene.filled(name, 0), name, outputs);
        outputs.push(g.output(made, walk.scene.dims(name), walk.scene.dtype(name)));
      }
      return dropDead(g.build());
    },
  };
}

function refuseUnknown(node: Node, body: Graph, shapes: ShapeTable): void {
  const unknown = body.nodes.find((n) => n.outputs.some((o) => o !== '' && !shapes.has(o)));
  if (unknown === undefined) return;
  throw new UserError(
    `${describeNode(node)} lies on the gradient path, and its "${body.name}" cannot be run for itself: the sizes inside (from ${describeNode(unknown)} on) stay unknown`,
    'export the model with fixed sizes so that its course is fixed, or attack it without gradients',
  );
}

/** The value under a name that can be an output: one that a node of the graph computes and that is none yet; otherwise a copy. */
const ownOutput = (g: GraphBuilder, value: string, of: string, outputs: readonly string[]): string =>
  g.isComputed(value) && !outputs.includes(value) ? value : g.op('Identity', [value], {}, g.fresh(`grad_${of}`));

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
function reachable(
  graph: Graph,
  wrt: readonly string[],
  surrogates: readonly Surrogate[] | undefined,
  standIn: ReadonlyMap<string, string>,
): Set<string> {
  const reached = new Set(wrt.map((name) => standIn.get(name) ?? name));
  for (const node of graph.nodes) {
    const constant = node.domain === '' && isRuled(node.op) && (rules[node.op] as Entry) === 'zero';
    if (constant && !surrogates?.some((s) => matches(s.match, node))) continue;
    if (readsOf(node).some((i) => reached.has(standIn.get(i) ?? i)))
      for (const output of node.outputs) if (output !== '') reached.add(output);
  }
  for (const name of standIn.keys()) reached.delete(name);
  return reached;
}

const isPerNode = (entry: Entry): entry is PerNode => typeof entry === 'object' && 'perNode' in entry;

function entryOf(node: Node): Entry {
  if (node.domain === '' && isRuled(node.op)) return rules[node.op];
  throw new UserError(
    `${describeNode(node)} lies on the gradient path and has no derivative rule`,
    `choose a stand-in for it (surrogates: { match: { op: ${node.op} }, use: straight-through }), attack without gradients, or export the model without this op`,
  );
}
