/** @file The contract of a node of a NIR file as nodes of a graph, a time step at a time. */
import type { GraphBuilder } from '../../../../core/onnx/builder.ts';
import { type Tensor, tensor } from '../../../../core/tensor/tensor.ts';
import { type NirNode, numbersIn, spreadOver } from './tree.ts';

/** Name of a value [N, ...shape] of one time step; undefined stands for zeros. */
export type Flow = string | undefined;

export interface Layer {
  /** Sizes of what comes out, without batch and time. */
  readonly shape: readonly number[];
  /** Whether it remembers: what it gives before the first step is nothing. */
  readonly remembers: boolean;
  /** Writes one time step; steps are written in order. */
  step(x: Flow, t: number): Flow;
}

/**
 * What a spike does to its potential: sets it to v_reset, takes the threshold away, or takes it away in the next step, after the decay (snnTorch's
 * `subtract` unless reset_delay is off).
 */
export const resetKinds = ['zero', 'subtract', 'subtract-late'] as const;
export type ResetKind = (typeof resetKinds)[number];

export interface Opening {
  readonly g: GraphBuilder;
  /** Seconds of a time step; undefined where the user has not said. */
  readonly dt: number | undefined;
  readonly reset: ResetKind;
}

/** Opens a node for a signal of these sizes. */
export type OpenLayer = (node: NirNode, shape: readonly number[], opening: Opening) => Layer;

/** A layer that only ever looks at the current step. */
export const stateless = (shape: readonly number[], step: (x: Flow) => Flow): Layer => ({ shape, remembers: false, step });

/** Float32 weights as the file has them. */
export function weights(node: NirNode, field: string, dims?: readonly number[]): Tensor<'float32'> {
  const { shape, values } = numbersIn(node, field);
  return tensor('float32', dims ?? shape, Float32Array.from(values));
}

/** A parameter with a value for every element of a signal, in float64. */
export const perElement = (node: NirNode, field: string, shape: readonly number[]): Float64Array =>
  spreadOver(node, field, shape, numbersIn(node, field));

/** The name of a constant for values of a signal, a single number where all are equal; undefined where all are `neutral`. */
export function coefficient(
  g: GraphBuilder,
  values: Float64Array,
  shape: readonly number[],
  neutral?: number,
): string | undefined {
  const rounded = Float32Array.from(values);
  if (neutral !== undefined && rounded.every((v) => v === neutral)) return undefined;
  return rounded.every((v) => v === rounded[0]) ? g.number(rounded[0]!) : g.constant(tensor('float32', shape, rounded));
}

/** a + b, where nothing is zeros. */
export const add = (g: GraphBuilder, a: Flow, b: Flow): Flow => (a === undefined ? b : b === undefined ? a : g.op('Add', [a, b]));

/** x times a constant that may be 1 (undefined). */
export const scaled = (g: GraphBuilder, x: Flow, by: string | undefined): Flow =>
  x === undefined || by === undefined ? x : g.op('Mul', [x, by]);
