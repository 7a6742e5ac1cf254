/** @file What a trainable model is: its inputs, its classes, and how its layers are written. */

import type { Surrogate } from '../../core/autodiff/substitutes.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { InputSpec } from '../model/model.ts';
import { batchAxis } from '../model/model.ts';
import type { Configurable, Options } from '../options.ts';
import { inputSignal, type Mode, type Net, openNet, type Signal, type Written } from './net.ts';

/** A network with its inputs and classes fixed. The batch is the first axis of every input. */
export interface Architecture {
  readonly name: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly classes: readonly string[];
  /** What stands in for the derivatives of its comparisons (spikes), in training and wherever a gradient of it is taken. */
  readonly surrogates?: readonly Surrogate[];
  /** What its spikes are trained through, in the words of `spikes:` of a model reference: stands in for those of the exported file too. */
  readonly trainedThrough?: { readonly use: string; readonly options: Options };
  /** Options of its family that decide nothing but derivatives in training: a file that is handed out does not hold them. */
  readonly trainingOnly?: readonly string[];
  /** Writes the layers; returns the logits, [N, classes]. May be called several times on one net: the calls share their parameters. */
  write(net: Net, inputs: Readonly<Record<string, Signal>>): Signal;
}

/** A family of networks that a recipe names: `model: { use: NAME, ...options }`. */
export interface ArchitectureFamily<O extends Options = Options> extends Configurable<O> {
  /** One line for `provoke list architectures`. */
  readonly title: string;
  readonly about: Readonly<Record<keyof O & string, string>>;
  /** The network for these inputs and classes; throws a UserError where the inputs do not suit it. */
  build(task: Pick<Architecture, 'inputs' | 'classes'>, options: O): Architecture;
}

/** A network written for inference: a graph from the inputs to the output `logits`, all weights at their first values. */
export interface Network extends Omit<Written, 'builder'> {
  readonly architecture: Architecture;
  readonly graph: Graph;
  /** Name of the logits. */
  readonly logits: string;
}

/** The name of the logits in every graph made here. */
export const logitsOutput = 'logits';

/** Writes a network into a graph of its own. */
export function buildNetwork(architecture: Architecture, options: { readonly mode: Mode; readonly seed: number }): Network {
  const { net, written } = openNet(options);
  const logits = architecture.write(net, inputSignals(net, architecture));
  const output = net.g.op('Identity', [logits.name], {}, logitsOutput);
  net.g.output(output, ['N', architecture.classes.length]);
  const { builder, ...rest } = written();
  return { architecture, graph: builder.build(), logits: output, ...rest };
}

/** The data inputs of a network, as inputs of the graph. */
export const inputSignals = (net: Net, { inputs }: Pick<Architecture, 'inputs'>): Record<string, Signal> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => {
      if (batchAxis(spec) !== 0) throw new Error(`input "${name}": the batch has to be the first axis of ${spec.layout}`);
      return [name, inputSignal(net, name, spec.shape, spec.dtype)];
    }),
  );
