/**
 * Stochastic gradient descent with momentum: v <- momentum v + g + weightDecay w, w <- w - lr v (with nesterov: w - lr (g' + momentum v)).
 * The form of PyTorch's torch.optim.SGD without dampening, which differs from Polyak's in where the learning rate stands.
 */
import { belowOne, firstOf } from '../../option-checks.ts';
import { checkDecay, decayAbout, decayDefaults, withPenalty } from './decay.ts';
import type { Optimiser } from './optimiser.ts';

const defaults = { lr: 0.1, momentum: 0.9, nesterov: false, ...decayDefaults };

export const sgd: Optimiser<typeof defaults> = {
  name: 'sgd',
  defaults,
  about: {
    lr: 'learning rate the schedule starts from',
    momentum: 'share of the last step that is kept',
    nesterov: 'look ahead along the momentum',
    ...decayAbout,
  },
  check(options) {
    const { momentum, nesterov } = options;
    const blind = nesterov && momentum === 0 ? 'nesterov looks ahead along the momentum, which is 0' : undefined;
    return firstOf(belowOne('momentum', momentum), blind, checkDecay(options));
  },
  slots: ['momentum'],
  numbers: (_, lr) => ({ lr }),
  write(scene, options) {
    const { g, parameter, slots, numbers } = scene;
    const { momentum, nesterov } = options;
    const gradient = withPenalty(scene, options);
    const velocity = g.op('Add', [g.op('Mul', [g.number(momentum), slots[0]!]), gradient]);
    const direction = nesterov ? g.op('Add', [gradient, g.op('Mul', [g.number(momentum), velocity])]) : velocity;
    return { parameter: g.op('Sub', [parameter, g.op('Mul', [numbers.lr!, direction])]), slots: [velocity] };
  },
};
