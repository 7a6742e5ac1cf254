/** @file What an optimiser is: a rule for one parameter as graph nodes, and the numbers of a step that are computed outside. */
import type { GraphBuilder } from '../../../core/onnx/builder.ts';
import type { Configurable, Options } from '../../options.ts';

/** One parameter at one step: names of values in the graph. */
export interface UpdateScene {
  readonly g: GraphBuilder;
  readonly parameter: string;
  readonly gradient: string;
  readonly dims: readonly number[];
  /** The optimiser's memory of this parameter, in the order of `slots`; zeros at first. */
  readonly slots: readonly string[];
  /** What `numbers` computed for this step, by name: float32 scalars that are fed. */
  readonly numbers: Readonly<Record<string, string>>;
}

export interface Optimiser<O extends Options = Options> extends Configurable<O> {
  /** `lr` is the rate schedules start from. */
  readonly defaults: O & { readonly lr: number };
  /** Names of the tensors kept per parameter. */
  readonly slots: readonly string[];
  /** Numbers of step `step` (from 1) at learning rate `lr`, in float64: the learning rate itself, bias corrections ... */
  numbers(step: number, lr: number, options: O): Readonly<Record<string, number>>;
  /** Writes the nodes of the update; returns the new parameter and the new slots. */
  write(scene: UpdateScene, options: O): { readonly parameter: string; readonly slots: readonly string[] };
}
