/** @file The contract of what stands in for the derivative of spikes: surrogates of the comparisons, or twins of whole layers. */
import type { Surrogate, Twin } from '../../core/autodiff/substitutes.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { Spiking } from '../../core/spikes/layer.ts';
import type { Configurable, Options } from '../options.ts';

/** Potentials of clean samples, as far as they are above the threshold, summed up per layer (by name), step and channel over all of them and the steps so far. */
export interface ReferenceStatistics {
  /** How many samples, and which. */
  readonly samples: readonly string[];
  readonly layers: ReadonlyMap<string, readonly StepStatistics[]>;
}

/** Of one step, cumulated from step 0: how many values per channel, their mean and the sum of squared deviations from it. */
export interface StepStatistics {
  readonly count: number;
  readonly mean: Float64Array;
  readonly deviations: Float64Array;
}

/** A choice for `spikes:` of a model reference. */
export interface SpikeGradient<O extends Options = Options> extends Configurable<O> {
  /** One line for `provoke list surrogates`. */
  readonly title: string;
  readonly about: Readonly<Record<keyof O & string, string>>;
  readonly paper: string;
  /** 'batch' where the gradient of a sample depends on its batch mates under these options; none by default. */
  coupling?(options: O): 'none' | 'batch';
  /** Whether it asks for the potentials of clean samples under these options. */
  wantsReference?(spiking: Spiking, options: O): boolean;
  /** What stands in for the spikes of these layers of the graph. */
  make(spiking: Spiking, options: O, of: SpikeContext): SpikeSubstitutes;
}

/** What a stand-in is made from beside the layers. */
export interface SpikeContext {
  readonly graph: Graph;
  readonly reference?: ReferenceStatistics;
}

export interface SpikeSubstitutes {
  readonly surrogates: readonly Surrogate[];
  readonly twins?: readonly Twin[];
}
