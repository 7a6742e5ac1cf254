/**
 * TRADES: cross-entropy on the clean sample plus beta times how far the prediction can be moved, whatever the label:
 * min_w E [ CE(f(x), y) + beta max_x' KL(softmax f(x) || softmax f(x')) ].
 * Paper: Zhang, Yu, Jiao, Xing, El Ghaoui, Jordan, "Theoretically principled trade-off between robustness and accuracy", ICML 2019, equation 5 and
 * algorithm 1 (with the KL divergence as the surrogate loss, as in the authors' code); beta 6 (1 / lambda), start x + 0.001 N(0, 1).
 * Threat model: white box, linf, l2 or l1; 10 steps of 2.5 eps / steps (theirs: 10 of 0.007 at eps 0.031, which is nearly the same).
 * Deviations: the clean sample goes through the network once per step, in the authors' code twice, which moves the running statistics once more.
 */
import { crossEntropy, kl } from '../../kit/nn/objectives/losses.ts';
import { firstOf, notNegative } from '../../kit/option-checks.ts';
import type { Defence } from './defence.ts';
import { checkThreats } from './threats.ts';
import { besideTheSample, checkTwoSided, divergenceWeight, twoSided, twoSidedAbout, twoSidedDefaults } from './two-sided.ts';

const defaults = { beta: 6, ...twoSidedDefaults };

export const trades: Defence<typeof defaults> = {
  name: 'trades',
  title: 'learns the clean sample, and to predict the same all around it',
  paper: 'Zhang et al. 2019, arXiv 1901.08573',
  counted: 'clean',
  defaults,
  about: { ...twoSidedAbout, beta: divergenceWeight },
  check: (options) => firstOf(checkTwoSided(options), notNegative('beta', options.beta)),
  make({ beta, ...inner }, threats) {
    checkThreats('trades', threats);
    return {
      objective: twoSided('trades', threats, ({ g, classes, label, clean, adversarial }) => {
        const natural = crossEntropy(g, clean, label, { classes, smoothing: 0 });
        return g.op('Add', [natural, g.op('Mul', [g.number(beta), kl(g, clean, adversarial)])]);
      }),
      crafting: besideTheSample('trades', threats, 'clean', inner),
    };
  },
};
