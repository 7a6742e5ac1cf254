/**
 * @file A TensorFlow value while it is being imported. Images travel channels-first from one convolution to the next: a value is kept in the
 * layout it was made in, and the other one is added (one Transpose, shared) only when somebody asks for it.
 */
import type { GraphBuilder } from '../../../../core/onnx/builder.ts';
import type { Tensor } from '../../../../core/tensor/tensor.ts';

/** Sizes as TensorFlow sees them (channels last); null where unknown, e.g. the batch. */
export type Sizes = readonly (number | null)[];

export interface Value {
  /** Name of the value in TensorFlow's own layout, once it exists. */
  plain?: string;
  /** Name of the value as NCHW, once it exists; only for values of rank 4. */
  channelsFirst?: string;
  /** undefined where not even the rank is known. */
  readonly sizes?: Sizes;
  /** Set for constants. */
  readonly constant?: Tensor;
}

/** A value in TensorFlow's layout. */
export const plain = (name: string, sizes?: Sizes): Value => (sizes === undefined ? { plain: name } : { plain: name, sizes });

/** A value that was made as NCHW; `sizes` are still channels-last. */
export const channelsFirst = (name: string, sizes?: Sizes): Value =>
  sizes === undefined ? { channelsFirst: name } : { channelsFirst: name, sizes };

/** The name of the value in TensorFlow's layout; adds a Transpose where it exists as NCHW only. */
export function asPlain(g: GraphBuilder, value: Value): string {
  value.plain ??= g.op('Transpose', [value.channelsFirst!], { perm: [0, 2, 3, 1] });
  return value.plain;
}

/** The name of a rank-4 value as NCHW; adds a Transpose where it exists channels-last only. */
export function asChannelsFirst(g: GraphBuilder, value: Value): string {
  value.channelsFirst ??= g.op('Transpose', [value.plain!], { perm: [0, 3, 1, 2] });
  return value.channelsFirst;
}

/** Whether the value was made as NCHW, so that staying there costs nothing. */
export const isChannelsFirst = (value: Value): boolean => value.channelsFirst !== undefined;

/** Where an axis of a channels-last value lies in NCHW. */
export const channelsFirstAxis = (axis: number): number => [0, 2, 3, 1][axis < 0 ? axis + 4 : axis]!;
