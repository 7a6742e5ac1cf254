/**
 * Fast adversarial training: one gradient step from a random point of the ball.
 * Paper: Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020, algorithm 3.
 * Threat model: white box, linf (the paper's), l2 or l1; start uniform in the ball, one step of 1.25 eps, projected.
 * Deviations: the network that is attacked normalises with its running statistics (the authors' code: training mode, `mode: training`); their cyclic
 * learning rate, mixed precision and the check of a PGD accuracy that collapses ("catastrophic overfitting", their section 5.4) are left to the recipe.
 */
import type { Mode } from '../../kit/nn/net.ts';
import { standard } from '../../kit/nn/objectives/cross-entropy.ts';
import { stepLength } from '../attacks/option-checks.ts';
import type { Defence } from './defence.ts';
import { craftWith } from './inner.ts';
import { checkInner, innerAbout, innerDefaults } from './options.ts';
import { checkThreats } from './threats.ts';

const defaults = { ...innerDefaults };

export const fgsmRs: Defence<typeof defaults> = {
  name: 'fgsm-rs',
  title: 'learns from one gradient step out of a random point of the ball',
  paper: 'Wong, Rice, Kolter 2020, arXiv 2001.03994',
  counted: 'crafted',
  defaults,
  about: { mode: innerAbout.mode, alpha: 'length of the step in the units of the input, or auto: 1.25 eps' },
  check: (options) => checkInner({ ...options, steps: 1 }),
  make({ alpha, mode }, threats) {
    checkThreats('fgsm-rs', threats);
    return {
      objective: standard(),
      crafting: craftWith({
        name: 'fgsm-rs',
        threats,
        steps: 1,
        alpha: ({ eps }) => stepLength(alpha, 1.25 * eps),
        start: (threat, _, random) => threat.random(random),
        climbs: 'label',
        hands: 'inputs',
        mode: mode as Mode,
      }),
    };
  },
};
