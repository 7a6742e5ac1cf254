/** @file The spiking layers of a model, as `provoke inspect` shows them. */

import type { Spiking, SpikingLayer } from '../../core/spikes/layer.ts';
import type { Model } from '../../kit/model/model.ts';
import { table } from './table.ts';

export interface LayerFacts extends Pick<SpikingLayer, 'name' | 'steps' | 'threshold' | 'reset'> {
  readonly comparison: '>' | '>=';
  /** Neurons per sample; null where a size is not known. */
  readonly units: number | null;
  /** Sizes of one step's potentials; null is the batch. */
  readonly shape: readonly (number | null)[];
  /** Names of the comparisons in the prepared graph, in order of time. */
  readonly nodes: readonly string[];
}

export function layerFacts(model: Pick<Model, 'graph' | 'shapes' | 'fixedBatch'>, { layers }: Spiking): LayerFacts[] {
  return layers.map(({ name, steps, threshold, strict, reset, axes, outputs, spikes }) => {
    const shape = model.shapes?.get(outputs[0]!)?.dims ?? [];
    const sizes = shape.filter((_, axis) => axis !== axes.batch && axis !== axes.time);
    const known = shape.length > 0 && sizes.every((d) => d !== null);
    return {
      name,
      steps,
      threshold,
      comparison: strict ? ('>' as const) : ('>=' as const),
      reset,
      units: known ? sizes.reduce((size: number, d) => size * d!, 1) : null,
      shape,
      nodes: spikes.map((s) => s.node),
    };
  });
}

/** One line per layer. */
export const layerTable = (facts: readonly LayerFacts[]): string =>
  table([
    ['spiking layer', 'steps', 'fires at', 'reset', 'units per step'],
    ...facts.map((f) => [
      f.name,
      `${f.steps}`,
      `${f.comparison} ${thresholdText(f.threshold)}`,
      f.reset,
      f.units === null ? '?' : `${f.units}`,
    ]),
  ]);

const thresholdText = (threshold: SpikingLayer['threshold']): string => {
  if (threshold === 'adaptive') return 'adaptive';
  if (typeof threshold === 'number') return short(threshold);
  return `${short(Math.min(...threshold))}..${short(Math.max(...threshold))} (per channel)`;
};

const short = (value: number): string => `${Number(value.toPrecision(4))}`;
