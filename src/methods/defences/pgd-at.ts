/**
 * Adversarial training with PGD: every step descends the cross-entropy at points that PGD found on the current weights, min_w E max_delta L(x + delta, y).
 * Paper: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1.
 * Threat model: white box, linf, l2 or l1; 7 steps as in the paper's CIFAR-10 experiments, each of 2.5 eps / steps (theirs: eps / 4).
 * Deviations: the network that is attacked normalises with its running statistics; the authors' code leaves it in training mode (`mode: training`).
 */
import type { Mode } from '../../kit/nn/net.ts';
import { standard } from '../../kit/nn/objectives/cross-entropy.ts';
import type { Defence } from './defence.ts';
import { craftWith } from './inner.ts';
import { checkInner, crossing, innerAbout, innerDefaults } from './options.ts';
import { checkThreats } from './threats.ts';

const defaults = { steps: 7, ...innerDefaults, randomStart: true };

export const pgdAt: Defence<typeof defaults> = {
  name: 'pgd-at',
  title: 'learns from adversarial examples that PGD finds on the current weights',
  paper: 'Madry et al. 2018, arXiv 1706.06083',
  counted: 'crafted',
  defaults,
  about: { ...innerAbout, randomStart: 'start uniformly in the ball rather than at the sample' },
  check: checkInner,
  make({ steps, alpha, mode, randomStart }, threats) {
    checkThreats('pgd-at', threats);
    return {
      objective: standard(),
      crafting: craftWith({
        name: 'pgd-at',
        threats,
        steps,
        alpha: crossing(alpha, steps),
        start: (threat, x, random) => (randomStart ? threat.random(random) : new Float32Array(x.length)),
        climbs: 'label',
        hands: 'inputs',
        mode: mode as Mode,
      }),
    };
  },
};
