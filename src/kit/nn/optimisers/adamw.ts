/** AdamW (Loshchilov and Hutter 2019, algorithm 2): Adam, and apart from it w <- w - lr weightDecay w, with the scheduled learning rate as in PyTorch. */
import { type AdamOptions, adam, adamStep } from './adam.ts';
import { decayOf } from './decay.ts';
import type { Optimiser } from './optimiser.ts';

const defaults: AdamOptions = { ...adam.defaults, weightDecay: 0.01 };

export const adamw: Optimiser<AdamOptions> = {
  ...adam,
  name: 'adamw',
  defaults,
  numbers: (step, lr, options) => ({ ...adam.numbers(step, lr, options), kept: 1 - lr * options.weightDecay }),
  write(scene, options) {
    const { g, parameter, gradient, numbers } = scene;
    const from = decayOf(scene, options) === 0 ? parameter : g.op('Mul', [parameter, numbers.kept!]);
    return adamStep(scene, options, gradient, from);
  },
};
