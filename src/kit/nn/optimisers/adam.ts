/**
 * Adam (Kingma and Ba 2015, algorithm 1): w <- w - lr m' / (sqrt(v') + eps) with the bias-corrected moments m' = m / (1 - beta1^t), v' = v / (1 - beta2^t).
 * Weight decay is a penalty's gradient, added to the gradient before the moments. The memory holds M = m / (1 - beta1) and V = v / (1 - beta2), decayed sums
 * instead of averages: two passes over memory less. The corrections are computed in float64 and fed as two scalars, so the update is
 *
 *     M <- beta1 M + g,  V <- beta2 V + g^2,  w <- w - rate M / (sqrt(V) + eps'),
 *     rate = c lr (1 - beta1) / (1 - beta1^t),  eps' = c eps,  c = sqrt((1 - beta2^t) / (1 - beta2)).
 */
import { belowOne, firstOf, positive } from '../../option-checks.ts';
import { checkDecay, decayAbout, decayDefaults, withPenalty } from './decay.ts';
import type { Optimiser, UpdateScene } from './optimiser.ts';

const defaults = { lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1e-8, ...decayDefaults };

export type AdamOptions = typeof defaults;

export const adam: Optimiser<AdamOptions> = {
  name: 'adam',
  defaults,
  about: {
    lr: 'learning rate the schedule starts from',
    beta1: 'decay of the mean of the gradients',
    beta2: 'decay of the mean of their squares',
    eps: 'added to the root of the mean square',
    ...decayAbout,
  },
  check(options) {
    const { beta1, beta2, eps } = options;
    return firstOf(belowOne('beta1', beta1), belowOne('beta2', beta2), positive('eps', eps), checkDecay(options));
  },
  slots: ['sum', 'squares'],
  numbers(step, lr, { beta1, beta2, eps }) {
    const c = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
    return { rate: (lr * c * (1 - beta1)) / (1 - beta1 ** step), eps: eps * c };
  },
  write: (scene, options) => adamStep(scene, options, withPenalty(scene, options), scene.parameter),
};

/** The update along `gradient`, subtracted from `from`. */
export function adamStep({ g, slots, numbers }: UpdateScene, { beta1, beta2 }: AdamOptions, gradient: string, from: string) {
  const sum = g.op('Add', [g.op('Mul', [g.number(beta1), slots[0]!]), gradient]);
  const squares = g.op('Add', [g.op('Mul', [g.number(beta2), slots[1]!]), g.op('Mul', [gradient, gradient])]);
  const direction = g.op('Div', [sum, g.op('Add', [g.op('Sqrt', [squares]), numbers.eps!])]);
  return { parameter: g.op('Sub', [from, g.op('Mul', [numbers.rate!, direction])]), slots: [sum, squares] };
}
