/** @file What a conversion of one op to the target opset sees. */
import type { GraphBuilder } from '../../builder.ts';
import type { Dim, Node } from '../../graph.ts';

export interface Conversion {
  readonly g: GraphBuilder;
  /** Version of the default domain the model was written for; at least 7, below the target. */
  readonly from: number;
  /** Sizes of a value where the file (or the runtime, asked before) states them. */
  dims(name: string): readonly Dim[] | undefined;
  /** The numbers of a value that the file fixes. */
  constant(name: string): readonly number[] | undefined;
  /** Whether anything reads the value. */
  isUsed(name: string): boolean;
}

/** Writes what replaces the node and returns true, or leaves the node as it is (false). */
export type Convert = (node: Node, conversion: Conversion) => boolean;

/** The conversions of some ops, by op. */
export type Conversions = Readonly<Record<string, Convert>>;
