/** @file `spikes: bptr` and its kin: gradients of rates instead of spikes, as twins of whole layers. Time inside a layer plays no part in them. */

import { UserError } from '../../core/errors.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { Spiking, SpikingLayer } from '../../core/spikes/layer.ts';
import {
  averagedOverTime,
  backwardThroughRate,
  copiedActivation,
  heldFixed,
  type LayerRule,
  layerTwin,
  rateGradient,
} from '../../core/spikes/rate-twins.ts';
import type { SpikeGradient, SpikeSubstitutes } from './spike-gradient.ts';

/** A twin for every layer. */
const twinsOf = (
  graph: Graph,
  { layers }: Spiking,
  label: string,
  rule: (layer: SpikingLayer) => LayerRule,
): SpikeSubstitutes => ({
  surrogates: [heldFixed],
  twins: layers.map((layer) => layerTwin(graph, layer, label, rule(layer))),
});

/** The one threshold of a layer. Throws a UserError where it has several. */
function thresholdOf({ threshold, name }: SpikingLayer, who: string): number {
  if (typeof threshold === 'number') return threshold;
  throw new UserError(
    `spikes: ${who} measures currents in units of the threshold, and the layer "${name}" has ${threshold === 'adaptive' ? 'an adaptive one' : 'one per channel'}`,
    'choose a stand-in that does not: bptr, hart, pdsg or a fixed curve',
  );
}

const bptr: SpikeGradient<Record<never, never>> = {
  name: 'bptr',
  title: 'backward through the rate: passes where a neuron fired at all',
  paper: 'Ding et al. 2022 (SNN-RAT), as the released code of HART has it',
  defaults: {},
  about: {},
  make: (spiking, _, { graph }) => twinsOf(graph, spiking, 'backward through the rate', () => backwardThroughRate),
};

interface CopiedOptions {
  readonly [name: string]: string;
  readonly activation: string;
}

const cba: SpikeGradient<CopiedOptions> = {
  name: 'cba',
  title: 'activation of the net without spikes, at the mean current (a reconstruction)',
  paper: 'after Hao et al. 2024 (HART), mode "act" of the released code',
  defaults: { activation: 'clip' },
  about: {
    activation: 'relu, or clip: between 0 and the threshold, as quantised nets that spiking ones are converted from have it',
  },
  choices: { activation: ['relu', 'clip'] },
  make: (spiking, { activation }, { graph }) =>
    twinsOf(graph, spiking, `activation of the copied net (${activation}), reconstructed`, (layer) =>
      copiedActivation(activation === 'relu' ? 'relu' : 'clip', thresholdOf(layer, 'cba')),
    ),
};

interface RateOptions {
  readonly [name: string]: number;
  readonly retention: number;
  readonly floor: number;
}

const rga: SpikeGradient<RateOptions> = {
  name: 'rga',
  title: 'rate gradient, piecewise constant in the mean current',
  paper: 'Bu et al. 2023 (RGA)',
  defaults: { retention: 0.5, floor: 0.2 },
  about: {
    retention: 'what a potential keeps of itself per step, 1 - 1 / tau; the file does not say it',
    floor: 'slope where the mean current alone never reaches the threshold',
  },
  check: ({ retention, floor }) =>
    retention < 0 || retention > 1
      ? `retention is ${retention}, and must lie in 0..1`
      : floor < 0 || floor > 1
        ? `floor is ${floor}, and must lie in 0..1`
        : undefined,
  make: (spiking, { retention, floor }, { graph }) =>
    twinsOf(graph, spiking, `rate gradient (retention ${retention}, floor ${floor})`, (layer) =>
      rateGradient({ retention, floor, threshold: thresholdOf(layer, 'rga') }),
    ),
};

interface HybridOptions {
  readonly [name: string]: number;
  readonly width: number;
}

const hart: SpikeGradient<HybridOptions> = {
  name: 'hart',
  title: 'triangle around the threshold, the gradient averaged over the steps of a layer',
  paper: 'Hao et al. 2024 (HART)',
  defaults: { width: 1 },
  about: { width: 'half the width of the triangle; the published attack searches .1 to 2.45 by model and keeps the best' },
  check: ({ width }) => (width > 0 ? undefined : `width is ${width}, and must be above 0`),
  make: (spiking, { width }, { graph }) =>
    twinsOf(graph, spiking, `triangle averaged over time (half-width ${width})`, () => averagedOverTime(width)),
};

export const rateBased: readonly SpikeGradient[] = [
  bptr as SpikeGradient,
  cba as SpikeGradient,
  rga as SpikeGradient,
  hart as SpikeGradient,
];
