/** @file The contract of a rule: how a node keeps time steps apart, and how it is written for some of them. */
import type { GraphBuilder } from '../../builder.ts';
import type { Node } from '../../graph.ts';
import type { Scene, Timed } from './timed.ts';

/** Positions in time, from the first to before the last. */
export type Range = readonly [from: number, to: number];

/** Writes one slice; every method returns the name of a value of that slice. */
export interface Writer {
  readonly g: GraphBuilder;
  readonly scene: Scene;
  /** All positions of a value. */
  whole(name: string): string;
  /** Some positions of a value that has more than one. */
  window(name: string, range: Range): string;
  /** The same of a value that does not depend on the input, along an axis. */
  cut(name: string, axis: number, range: Range): string;
  /** The node over other inputs, for these positions of its outputs. */
  copy(node: Node, range: Range, inputs: () => readonly string[]): readonly string[];
}

export interface Rule {
  /** What each output depends on; undefined where the node joins time steps. At least one input has axes. */
  outputs(node: Node, scene: Scene): readonly Timed[] | undefined;
  /** Output `output` for these positions. */
  write(node: Node, output: number, range: Range, w: Writer): string;
}
