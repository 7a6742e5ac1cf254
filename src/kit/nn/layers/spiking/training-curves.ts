/** @file The curves a recipe can train spikes through: those an attack can name under `spikes:`, with the same defaults. */
import type { Surrogate } from '../../../../core/autodiff/substitutes.ts';
import type { Spiking } from '../../../../core/spikes/layer.ts';
import { fixedGradients } from '../../../spiking/fixed.ts';
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

/** What stands in for the spikes of a network in training. `alpha` is the curve's own number, or auto; `stretch` widens the curve over the same area. */
export function trainingSurrogate(name: string, alpha: number | string, stretch: number): Surrogate {
  const gradient = fixedGradients.find((one) => one.name === name);
  if (gradient === undefined) throw new Error(`there is no curve "${name}"`);
  const own = Object.keys(gradient.defaults).find((option) => option !== 'width' && option !== 'reset')!;
  const options = {
    ...gradient.defaults,
    reset: 'through',
    width: stretch,
    ...(typeof alpha === 'number' ? { [own]: alpha } : {}),
  };
  const [one] = gradient.make(anySpike, options).surrogates;
  return { ...one!, match: spikes };
}
