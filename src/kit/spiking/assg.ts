/** @file `spikes: assg`: arctangent curves, one for every neuron and step, as wide as that neuron's potential has been from the threshold on the walk so far. */
import { assgDefaults, assgRule, type AssgOptions as Rule } from '../../core/autodiff/surrogates/assg.ts';
import { resetAbout, resetChoices, resetDefault, surrogatesOf } from './reset.ts';
import type { SpikeGradient } from './spike-gradient.ts';

type AssgOptions = Rule & { readonly [name: string]: string | number; readonly reset: string };

export const assg: SpikeGradient<AssgOptions> = {
  name: 'assg',
  title: 'arctangent as steep as each neuron allows at each step, remembered over the steps of an attack',
  paper: 'Wang et al. 2025, arXiv 2512.22522',
  defaults: { ...assgDefaults, reset: resetDefault },
  about: {
    vanishing:
      'A (published as the degree to which gradients vanish): the share of the area under a curve that lies where the potential is expected; steeper for more. The published attack searches .7 to .98 by model and keeps the best',
    relax: 'how many mean deviations beyond its mean distance from the threshold the potential is expected',
    beta1: 'how much of the running mean of the distance from the threshold is kept at each gradient of an attack, 0 to below 1',
    beta2: 'the same of the mean deviation from it',
    reset: `${resetAbout}; the published code detaches`,
  },
  choices: { reset: resetChoices },
  check: ({ vanishing, relax, beta1, beta2 }) => {
    if (!(vanishing > 0 && vanishing < 1)) return `vanishing is ${vanishing}, and must lie between 0 and 1`;
    if (!(relax >= 0 && Number.isFinite(relax))) return `relax is ${relax}, and must be 0 or more`;
    const wrong = Object.entries({ beta1, beta2 }).find(([, beta]) => !(beta >= 0 && beta < 1));
    return wrong === undefined ? undefined : `${wrong[0]} is ${wrong[1]}, and must be 0 or more and below 1`;
  },
  make: ({ layers }, options) => {
    const { vanishing, relax, beta1, beta2 } = options;
    const label = `ASSG (A ${vanishing}, relax ${relax}, beta ${beta1} and ${beta2})`;
    return { surrogates: layers.flatMap((layer) => surrogatesOf(layer, options, label, assgRule(layer, options))) };
  },
};
