/** @file What training minimises, written into the graph of the step: the network may be called on several inputs, its calls share their weights. */
import type { GraphBuilder } from '../../../core/onnx/builder.ts';
import type { DType } from '../../../core/tensor/tensor.ts';
import type { Signal } from '../net.ts';

export interface ObjectiveScene {
  readonly g: GraphBuilder;
  readonly classes: number;
  /** The model's own inputs. */
  readonly inputs: Readonly<Record<string, Signal>>;
  /** The labels, int64 [N]. */
  readonly label: string;
  /** Logits [N, classes] of the network on these inputs. */
  network(inputs: Readonly<Record<string, Signal>>): string;
  /** A further input of the step, [N, ...shape], that the caller feeds under this name. */
  input(name: string, shape: readonly number[], dtype?: DType): Signal;
}

export interface Objective {
  readonly name: string;
  /** Writes the loss of every sample, [N], whose mean the step descends; and the logits training accuracy is counted on. */
  write(scene: ObjectiveScene): { readonly loss: string; readonly logits: string };
}
