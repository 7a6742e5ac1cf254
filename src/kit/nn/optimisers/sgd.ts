/**
 * Stochastic gradient descent with momentum: v <- momentum v + g + weightDecay w, w <- w - lr v (with nesterov: w - lr (g' + momentum v)).
 * The form of PyTorch's torch.optim.SGD without dampening, which differs from Polyak's in where the learning rate stands.
 */
import type { Optimiser } from './optimiser.ts';

const defaults = { lr: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false };

export const sgd: Optimiser<typeof defaults> = {
  name: 'sgd',
  defaults,
  about: {
    lr: 'learning rate the schedule starts from',
    momentum: 'share of the last step that is kept',
    weightDecay: 'pull of every parameter towards zero, added to the gradient',
    nesterov: 'look ahead along the momentum',
  },
  slots: ['momentum'],
  numbers: (_, lr) => ({ lr }),
  write({ g, parameter, gradient, slots, numbers }, { momentum, weightDecay, nesterov }) {
    const decayed = weightDecay === 0 ? gradient : g.op('Add', [gradient, g.op('Mul', [g.number(weightDecay), parameter])]);
    const velocity = g.op('Add', [g.op('Mul', [g.number(momentum), slots[0]!]), decayed]);
    const direction = nesterov ? g.op('Add', [decayed, g.op('Mul', [g.number(momentum), velocity])]) : velocity;
    return { parameter: g.op('Sub', [parameter, g.op('Mul', [numbers.lr!, direction])]), slots: [velocity] };
  },
};
