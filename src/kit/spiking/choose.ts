/** @file `spikes:` of a model reference, read: what stands in for the derivative of the model's spikes. */
import { UserError } from '../../core/errors.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { ShapeTable } from '../../core/onnx/passes/shapes.ts';
import type { Spiking, SpikingLayer } from '../../core/spikes/layer.ts';
import { spikesOf } from '../model/find-spikes.ts';
import type { Model } from '../model/model.ts';
import { type Options, readOptions } from '../options.ts';
import { pdsgNarrow } from './pdsg-narrow.ts';
import { findSpikeGradient } from './registry.ts';
import type { ReferenceStatistics, SpikeGradient, SpikeSubstitutes } from './spike-gradient.ts';

/** As it stands in a file: a name, or a name with options; `none` is the word for nothing. */
export type SpikesReference = string | { readonly use: string; readonly [option: string]: unknown };

export interface ChosenSpikes {
  readonly gradient: SpikeGradient;
  readonly options: Options;
  readonly spiking: Spiking;
  /** The model's. */
  readonly graph: Graph;
  /** Whether statistics of clean samples would change what stands in. */
  readonly wantsReference: boolean;
  /** How many of them. */
  readonly samples: number;
}

/** What stands in where nothing is said: the strongest on victims it was not chosen on (docs/results/spiking.md). */
export const byDefault = pdsgNarrow.name;

/**
 * Reads a choice and says what it does to the model: batch statistics couple its batch, and a default is among what was inferred. Nothing is chosen where
 * the model has no spikes or `none` was written. Throws a UserError for an unknown name or option, and for a choice where there are no spikes.
 */
export function chooseSpikes(model: Model, stated: SpikesReference | undefined): { model: Model; spikes?: ChosenSpikes } {
  const read = readSpikes(stated ?? byDefault);
  if (read === undefined) return { model };
  const { gradient, options, coupled } = read;
  if (stated === undefined && (model.spiking?.layers.length ?? 0) === 0) return { model };
  const spiking = withSpace(spikesOf(model, gradient.name), model.graph, model.shapes);
  const wantsReference = gradient.wantsReference?.(spiking, options) ?? false;
  const samples = wantsReference && typeof options.samples === 'number' ? options.samples : 0;
  return {
    model: {
      ...model,
      spiking,
      ...(coupled ? { coupling: 'batch' as const } : {}),
      inferred: [
        ...model.inferred,
        ...(stated === undefined ? [saidOf(spiking, gradient)] : []),
        ...(coupled
          ? [`spikes: ${gradient.name} takes statistics of the whole batch: the batch is coupled and runs in fixed groups`]
          : []),
      ],
    },
    spikes: { gradient, options, spiking, graph: model.graph, wantsReference, samples },
  };
}

/** What a choice means by itself, without a model; undefined for `none`. Throws a UserError for an unknown name or option. */
export function readSpikes(stated: SpikesReference): { gradient: SpikeGradient; options: Options; coupled: boolean } | undefined {
  const { use, ...given } = typeof stated === 'object' ? stated : { use: stated };
  if (use === 'none') {
    const [option] = Object.keys(given);
    if (option !== undefined) throw new UserError(`spikes: none has no option "${option}"`, 'none means that nothing stands in');
    return undefined;
  }
  const gradient = findSpikeGradient(use);
  const options = readOptions(gradient, given);
  return { gradient, options, coupled: gradient.coupling?.(options) === 'batch' };
}

/** What stands in, given what is known of clean samples. */
export const substitutesFor = (
  { gradient, options, spiking, graph }: ChosenSpikes,
  reference?: ReferenceStatistics,
): SpikeSubstitutes => gradient.make(spiking, options, { graph, ...(reference === undefined ? {} : { reference }) });

function saidOf({ layers }: Spiking, { name }: SpikeGradient): string {
  const many = layers.length === 1 ? 'a spiking layer' : `${layers.length} spiking layers`;
  return `spikes: the model has ${many} and nothing is said of their derivative: ${name} with its defaults stands in (spikes: NAME in an experiment, --spikes NAME; provoke list surrogates)`;
}

/** The layers with how many places a channel has, as far as sizes are known. */
function withSpace(spiking: Spiking, graph: Graph, shapes: ShapeTable | undefined): Spiking {
  const compared = new Map(graph.nodes.map((node) => [node.name, node.outputs[0]!]));
  return { ...spiking, layers: spiking.layers.map((layer) => ({ ...spaceOf(layer, compared, shapes), ...layer })) };
}

function spaceOf({ spikes, axes }: SpikingLayer, compared: ReadonlyMap<string, string>, shapes: ShapeTable | undefined) {
  const dims = spikes.map(({ node }) => shapes?.get(compared.get(node) ?? '')?.dims).find((found) => found !== undefined);
  if (dims === undefined) return {};
  const places = dims.filter((_, axis) => axis !== axes.batch && axis !== axes.channel && axis !== axes.time);
  return places.includes(null) ? {} : { space: places.reduce<number>((size, d) => size * d!, 1) };
}
