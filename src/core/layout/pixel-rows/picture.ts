/** @file The words of this folder: pictures, windows, and a convolution written over rows. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Sizes of a picture: channels, height, width. */
export type Picture = readonly [channels: number, height: number, width: number];

export const positionsOf = ([, height, width]: Picture): number => height * width;

/** A convolution over rows [batch, position, channel]. */
export interface Plan {
  /** The picture whose positions are the rows of the matrix product. */
  readonly side: Picture;
  /** The picture that comes out. */
  readonly size: Picture;
  readonly weights: Tensor;
  /** Writes it to `g` and returns the rows that come out. */
  write(g: GraphBuilder, rows: string): string;
}

/** The windows of a convolution of pictures, along the two axes. */
export interface Windows {
  readonly kernel: readonly [number, number];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly outputPadding: readonly number[];
}
