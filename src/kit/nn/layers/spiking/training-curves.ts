/** @file The curves a recipe can train spikes through: those an attack can name under `spikes:`, with the same defaults. */
import type { Surrogate } from '../../../../core/autodiff/substitutes.ts';
import { graphBuilder } from '../../../../core/onnx/builder.ts';
import type { Spiking } from '../../../../core/spikes/layer.ts';
import type { Options } from '../../../options.ts';
import { fixedGradients } from '../../../spiking/fixed.ts';
import type { SpikeGradient } from '../../../spiking/spike-gradient.ts';
import { spikes } from './spike.ts';

export const trainingCurves: readonly string[] = fixedGradients.map(({ name }) => name);

/** A spike, whichever. */
const anySpike: Spiking = {
  layers: [
    {
      name: 'any',
      spikes: [{ node: 'any', step: 0, role: 'output' }],
      steps: 1,
      threshold: 1,
      strict: false,
      reset: 'unknown',
      axes: { batch: 0, channel: 1 },
      outputs: [],
    },
  ],
  said: [],
};

/** What a network is trained through, as `spikes:` of a model reference says it, with every option. */
export interface TrainedThrough {
  readonly use: string;
  readonly options: Options;
}

/** `alpha` is the curve's own number, or auto; `stretch` widens the curve over the same area; `reset` is detach or through. */
export function trainedThrough(name: string, alpha: number | string, stretch: number, reset: string): TrainedThrough {
  const { defaults } = curveOf(name);
  const own = Object.keys(defaults).find((option) => option !== 'width' && option !== 'reset')!;
  return { use: name, options: { ...defaults, ...(typeof alpha === 'number' ? { [own]: alpha } : {}), width: stretch, reset } };
}

/** What stands in for the spikes of a network in training: they have names of their own there, and resets without a derivative are other nodes. */
export function trainingSurrogate(name: string, alpha: number | string, stretch: number): Surrogate {
  const { options } = trainedThrough(name, alpha, stretch, 'through');
  const [one] = curveOf(name).make(anySpike, options, { graph: graphBuilder().build() }).surrogates;
  return { ...one!, match: spikes };
}

function curveOf(name: string): SpikeGradient {
  const gradient = fixedGradients.find((one) => one.name === name);
  if (gradient === undefined) throw new Error(`there is no curve "${name}"`);
  return gradient;
}
