/** @file A model whose weights come inside an npm package: what to read, how to build its graph, and what its inputs and outputs mean. */
import type { Graph } from '../../../core/onnx/graph.ts';
import type { InputSpec } from '../model.ts';

/** An npm package that brings weights; not a dependency of provoke itself. */
export interface WeightsPackage {
  readonly name: string;
  /** The version the numbers of our tests were measured with. */
  readonly version: string;
  readonly licence: string;
}

/** Bytes by path relative to the package's folder. */
export type PackageFiles = Readonly<Record<string, Uint8Array>>;

export interface BuiltinModel {
  readonly name: string;
  readonly title: string;
  readonly package: WeightsPackage;
  /** What `build` needs, relative to the package's folder. */
  readonly files: readonly string[];
  /** Only a classifier can be the model of an experiment; the others serve pipelines. */
  readonly task: 'classifier' | 'detector' | 'landmarks';
  build(files: PackageFiles): Graph;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Empty unless the task is 'classifier'. */
  readonly classes: readonly string[];
  readonly output: { readonly name: string; readonly kind: 'logits' | 'values' };
  /** Origin, licence and what the labels mean. */
  readonly note: string;
}

/** RGB 0..1, channels first, square: what all built-in image models take. */
export const rgbInput = (side: number): InputSpec => ({
  shape: [3, side, side],
  layout: 'NCHW',
  dtype: 'float32',
  modality: 'image',
  unit: 'RGB intensity',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'uint8',
});
