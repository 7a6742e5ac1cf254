/**
 * MART: misclassification-aware adversarial training. With p = softmax f(x), q = softmax f(x') and x' found by PGD on the cross-entropy, it minimises
 *   BCE(q, y) + lambda KL(p || q) (1 - p_y),   BCE(q, y) = -log q_y - log(1 - max_{k != y} q_k):
 * samples the network gets wrong anyway weigh more in the second term. Gradients pass through both predictions and through the weight 1 - p_y.
 * Paper: Wang, Zou, Yi, Bailey, Ma, Gu, "Improving adversarial robustness requires revisiting misclassified examples", ICLR 2020, section 3; lambda 5, start
 * x + 0.001 N(0, 1).
 * Threat model: white box, linf, l2 or l1; 10 steps of 2.5 eps / steps.
 * Deviations: the authors' code keeps its logarithms finite by adding small constants to the probabilities (1.0001 - q_k); here they are taken from
 * logits, where they are finite as they stand: -log q_y - log(1 - q_k) = -2 log q_y + log r_y, r the softmax without class k.
 */
import type { GraphBuilder } from '../../core/onnx/builder.ts';
import { classIds, maskOf } from '../../kit/losses/heads.ts';
import { kl } from '../../kit/nn/objectives/losses.ts';
import { firstOf, notNegative } from '../../kit/option-checks.ts';
import type { Defence } from './defence.ts';
import { checkThreats } from './threats.ts';
import { besideTheSample, checkTwoSided, divergenceWeight, twoSided, twoSidedAbout, twoSidedDefaults } from './two-sided.ts';

const defaults = { lambda: 5, ...twoSidedDefaults };

export const mart: Defence<typeof defaults> = {
  name: 'mart',
  title: 'learns adversarial examples with a margin, and weighs samples it gets wrong more',
  paper: 'Wang et al. 2020, OpenReview rklOg6EFwS',
  counted: 'clean',
  defaults,
  about: { ...twoSidedAbout, lambda: divergenceWeight },
  check: (options) => firstOf(checkTwoSided(options), notNegative('lambda', options.lambda)),
  make({ lambda, ...inner }, threats) {
    checkThreats('mart', threats);
    return {
      objective: twoSided('mart', threats, ({ g, classes, label, clean, adversarial }) => {
        const ids = classIds(g, classes);
        const atLabel = maskOf(g, ids, label);
        const doubt = g.op('Sub', [g.number(1), pick(g, g.op('Softmax', [clean], { axis: -1 }), atLabel)]);
        const robust = g.op('Mul', [kl(g, clean, adversarial), doubt]);
        const boosted = boostedCrossEntropy(g, adversarial, ids, atLabel);
        return g.op('Add', [boosted, g.op('Mul', [g.number(lambda), robust])]);
      }),
      crafting: besideTheSample('mart', threats, 'label', inner),
    };
  },
};

/** -log q_y - log(1 - max_{k != y} q_k), [N]; the strongest other class k is the first of them. */
function boostedCrossEntropy(g: GraphBuilder, z: string, ids: string, atLabel: string): string {
  const without = (mask: string): string => g.op('Where', [mask, g.number(lowest), z]);
  const strongest = g.op('ArgMax', [without(atLabel)], { axis: -1, keepdims: 1 });
  const log = (logits: string): string => pick(g, g.op('LogSoftmax', [logits], { axis: -1 }), atLabel);
  const rest = log(without(g.op('Equal', [ids, strongest])));
  return g.op('Sub', [rest, g.op('Mul', [g.number(2), log(z)])]);
}

/** A logit whose exponential is zero. */
const lowest = -3.4028234663852886e38;

/** The value at the label, [N]. */
const pick = (g: GraphBuilder, values: string, atLabel: string): string =>
  g.op('ReduceSum', [g.op('Where', [atLabel, values, g.number(0)]), g.ints([-1])], { keepdims: 0 });
