/** @file What a vector-Jacobian rule sees and returns. A rule writes nodes; the walker prunes, un-broadcasts and accumulates. */
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node } from '../onnx/graph.ts';
import type { KnownDim } from '../onnx/passes/shapes.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { Recollection, Remembered } from './memory.ts';

/** The execution provider the gradient is written for: kernels that win on one are missing on another. */
export type Provider = 'cpu' | 'wasm' | 'webgpu';

/** Everything a rule may ask about the graph around its node, and the builder it writes to. */
export interface Scene {
  readonly g: GraphBuilder;
  readonly provider: Provider;
  /** Sizes of a value; null where the size depends on the batch. */
  dims(name: string): readonly KnownDim[];
  dtype(name: string): DType;
  /** The value of an initializer, undefined for anything computed. */
  constant(name: string): Tensor | undefined;
  /** Another node of the same graph by its name, undefined where the graph has none of that name. */
  node(name: string): Node | undefined;
  /** Whether input i of the node lies on a path from what is differentiated: a rule need not (and for constants should not) compute the others. */
  active(input: number): boolean;
  /** The shape of a value as an int64 list: a constant where every size is known, otherwise read at run time. */
  shape(name: string): string;
  /** `value` reshaped to the shape of `like`; costs no run-time shape when at most one size depends on the batch. */
  reshapeLike(value: string, like: string): string;
  /** A value of the run-time shape `shape` (an int64 list), every element `value`. */
  full(shape: string, value: number, dtype: DType): string;
  /** A zero-dimensional constant of the given dtype. */
  number(value: number, dtype: DType): string;
  /** Numbers that outlive the evaluation, sample by sample (memory.ts). Throws a UserError where that cannot be. */
  remember(what: Remembered, dtype: 'float32' | 'float64'): Recollection;
}

/**
 * Cotangents of the outputs in (undefined: that output is not used), cotangents of the inputs out (undefined: no derivative).
 * Each returned value has the shape of its input, except in a `broadcasting` rule.
 */
export type Rule = (dy: readonly (string | undefined)[], node: Node, scene: Scene) => readonly (string | undefined)[];

/** A rule of an elementwise operation: what it returns has the shape of the first output, and the walker sums it down to each input's. */
export interface Broadcasting {
  readonly broadcasting: Rule;
}

/** What the rule of a node with bodies may ask beside. */
export interface FlowScene extends Omit<Scene, 'active'> {
  /** Names in use anywhere: builders of bodies take it, so that no name hides another. */
  readonly taken: Set<string>;
  /** Whether a value around the bodies lies on a path from what is differentiated. */
  onPath(name: string): boolean;
  /** Whether the size of a value inside a body differs from turn to turn. */
  varies(name: string): boolean;
  /** A tensor of the shape of `like`, every element `value`. */
  filled(like: string, value: number): string;
  /** Values inside a body that depend on the given ones. */
  reach(body: Graph, from: readonly string[]): ReadonlySet<string>;
  /**
   * The nodes of a body and those of its gradient, as a graph whose outputs are the gradients of `wrt`, in order, each computed by a node of its own.
   * `seeds` are results of the body with the names their cotangents have where the nodes will stand.
   */
  differentiate(body: Graph, seeds: readonly (readonly [result: string, cotangent: string])[], wrt: readonly string[]): Graph;
}

/** Like a rule, for a node with bodies: (value, cotangent) for values it reads, those its bodies capture included. */
export type FlowRule = (
  dy: readonly (string | undefined)[],
  node: Node,
  scene: FlowScene,
) => readonly (readonly [value: string, cotangent: string])[];

/** The rule of an operation with bodies. */
export interface Flow {
  readonly flow: FlowRule;
}

/**
 * - a rule;
 * - 'zero': nothing to differentiate (sizes, indices, random numbers);
 * - 'cuts': the derivative is zero almost everywhere, so the gradient ends here: reported, and a surrogate may stand in.
 */
export type Entry = Rule | Broadcasting | Flow | 'zero' | 'cuts' | PerNode;

/** An op whose nodes differ: its attributes or dtypes choose one of the other entries. */
export interface PerNode {
  readonly perNode: (node: Node, scene: Pick<Scene, 'dims' | 'dtype' | 'constant'>) => Exclude<Entry, PerNode>;
}

/** The rules of one family of operations. */
export type Family<Op extends string> = Readonly<Record<Op, Entry>>;

/** Rule of y = f(x) with one input and one output: `vjp` maps (dy, x, y) to dx. */
export const unary =
  (vjp: (dy: string, x: string, y: string, scene: Scene, node: Node) => string): Rule =>
  ([dy], node, scene) =>
    dy === undefined ? [] : [vjp(dy, node.inputs[0]!, node.outputs[0]!, scene, node)];
