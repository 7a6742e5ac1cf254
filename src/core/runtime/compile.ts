/** @file The one low-level contract oracles, training and learned penalties are built on: a graph and its gradients behind one session. */
import { type Cut, type GradientOptions, gradient } from '../autodiff/gradient.ts';
import type { Provider } from '../autodiff/rule.ts';
import type { Surrogate, Twin } from '../autodiff/substitutes.ts';
import { suggestion, UserError } from '../errors.ts';
import { feedsOf, type Graph, type Value } from '../onnx/graph.ts';
import { capturedBy, dropDead } from '../onnx/passes/drop-dead.ts';
import { prepare } from '../onnx/passes/prepare.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Feeds, Runtime } from './runtime.ts';

export interface CompileOptions {
  /** Values to return: outputs of the graph, or anything inside it. */
  of: readonly string[];
  /** Inputs, constants or intermediates to differentiate with respect to; none for a forward-only evaluator. */
  wrt?: readonly string[];
  /** dL/d(of) comes in as the feeds `cotangent_NAME`, shaped like each `of`; otherwise the gradient is of the sum of all elements of `of`. */
  cotangents?: boolean;
  /** Names of constants (weights) the evaluator holds and `set` replaces; constants in `wrt` are always among them. */
  state?: readonly string[];
  runtime: Runtime;
  surrogates?: readonly Surrogate[];
  twins?: readonly Twin[];
  provider?: Provider;
}

export const compileDefaults = { wrt: [], cotangents: false, state: [], surrogates: [], twins: [] } as const;

export interface Evaluator {
  /**
   * Values and gradients, each by the name it was asked for under. Feeds: the graph's inputs as far as `of` depends on them (others
   * are ignored), plus the cotangents.
   * Where weights are state, a batch of 1 rounds differently from larger ones (the runtime's matrix-vector kernel): whoever needs
   * batch-independent bits pads to 2, as the oracle does.
   */
  run(feeds: Feeds): Promise<{ of: Record<string, Tensor>; grads: Record<string, Tensor> }>;
  /** Replaces state from the next run on, without a new session. Throws when a name, dtype or shape is not that of the state. */
  set(state: Readonly<Record<string, Tensor>>): void;
  release(): Promise<void>;
  /** Nodes at which the gradient ends. */
  readonly cuts: readonly Cut[];
  /** Surrogates and twins that were used, and where. */
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
}

/**
 * Prepares the graph, differentiates it and opens one session for values and gradients together.
 * Throws a UserError for names the graph does not have, and for ops on the gradient path without a rule.
 */
export async function compile(graph: Graph, options: CompileOptions): Promise<Evaluator> {
  const { of, wrt, cotangents, surrogates, twins, runtime, provider } = { ...compileDefaults, provider: undefined, ...options };
  const stateNames = [...new Set([...(options.state ?? []), ...wrt.filter((name) => graph.initializers.has(name))])];
  checkComputed(graph, of);
  checkNames(graph, [...of, ...wrt, ...twins.flatMap((t) => [...t.inputs, ...t.outputs])], options.state ?? []);
  let held: Record<string, Tensor> = Object.fromEntries(stateNames.map((name) => [name, graph.initializers.get(name)!]));

  const free = stateAsInputs(graph, held);
  // what the walker has to find again is declared as an output, or preparation could fold or fuse it away
  const anchors = [...wrt, ...twins.flatMap((t) => [...t.inputs, ...t.outputs])];
  const prepared = await prepare(dropDead(withOutputs(free, [...of, ...anchors])), runtime.execute);
  const ready = { ...prepared, outputs: prepared.outputs.filter((v) => of.includes(v.name)) };
  const settings: GradientOptions = { of, wrt, cotangents, surrogates, twins, ...(provider === undefined ? {} : { provider }) };
  const differentiated =
    wrt.length === 0
      ? { graph: dropDead(ready), gradients: {}, cuts: [], substitutes: [] }
      : await gradient(ready, runtime.execute, settings);
  const session = await runtime.open(withoutUnreadInputs(differentiated.graph));
  const gradients: [string, string][] = Object.entries(differentiated.gradients);

  return {
    cuts: differentiated.cuts,
    substitutes: differentiated.substitutes,
    async run(feeds) {
      const given = { ...held, ...feeds };
      const read = session.inputs.filter((name) => given[name] !== undefined);
      const results = await session.run(Object.fromEntries(read.map((name) => [name, given[name]!])));
      return {
        of: Object.fromEntries(of.map((name) => [name, results[name]!])),
        grads: Object.fromEntries(gradients.map(([name, output]) => [name, results[output]!])),
      };
    },
    set(state) {
      for (const [name, value] of Object.entries(state)) checkState(name, value, held);
      held = { ...held, ...state };
    },
    release: () => session.release(),
  };
}

function checkComputed(graph: Graph, of: readonly string[]): void {
  const computed = new Set(graph.nodes.flatMap((n) => n.outputs));
  const outputs = graph.outputs.map((v) => v.name);
  for (const name of of) {
    if (!computed.has(name))
      throw new UserError(`no node of the graph "${graph.name}" computes "${name}"`, suggestion(name, outputs));
  }
}

function checkNames(graph: Graph, values: readonly string[], state: readonly string[]): void {
  const known = new Set([
    ...feedsOf(graph).map((v) => v.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ]);
  for (const name of values) {
    if (!known.has(name)) throw new UserError(`the graph "${graph.name}" has no value "${name}"`, suggestion(name, ends(graph)));
  }
  for (const name of state) {
    if (!graph.initializers.has(name))
      throw new UserError(
        `the graph "${graph.name}" has no constant "${name}" to hold as state`,
        suggestion(name, [...graph.initializers.keys()]),
      );
  }
}

const ends = (graph: Graph): string[] => [...feedsOf(graph), ...graph.outputs].map((v) => v.name);

function checkState(name: string, value: Tensor, held: Readonly<Record<string, Tensor>>): void {
  const old = held[name];
  if (old === undefined)
    throw new Error(`"${name}" is not state of this evaluator (${Object.keys(held).join(', ') || 'it has none'})`);
  if (old.dtype !== value.dtype || old.dims.join() !== value.dims.join())
    throw new Error(`state "${name}" is ${old.dtype} [${old.dims}], got ${value.dtype} [${value.dims}]`);
}

/** State constants become inputs before any pass sees them, so nothing (folding BN into Conv, say) bakes their values in. */
function stateAsInputs(graph: Graph, state: Readonly<Record<string, Tensor>>): Graph {
  const inputs = Object.entries(state).map(([name, { dtype, dims }]): Value => ({ name, dtype, dims }));
  return {
    ...graph,
    inputs: [...graph.inputs.filter((v) => !(v.name in state)), ...inputs],
    initializers: new Map([...graph.initializers].filter(([name]) => !(name in state))),
  };
}

/** The same graph with these outputs, as far as it computes them: inputs and constants need no output to be found. */
function withOutputs(graph: Graph, names: readonly string[]): Graph {
  const computed = new Set(graph.nodes.flatMap((n) => n.outputs));
  const declared = new Map([...graph.values.values(), ...graph.outputs].map((v) => [v.name, v]));
  const outputs = [...new Set(names)].filter((name) => computed.has(name));
  return { ...graph, outputs: outputs.map((name) => declared.get(name) ?? { name, dtype: undefined, dims: undefined }) };
}

/** Inputs nothing reads would still have to be fed. */
function withoutUnreadInputs(graph: Graph): Graph {
  const read = new Set(capturedBy(graph));
  return { ...graph, inputs: graph.inputs.filter((v) => read.has(v.name)) };
}
