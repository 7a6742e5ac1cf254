/** @file What defences share that look at the predictions on a clean sample and on an adversarial one beside it. */
import type { Crafting } from '../../kit/nn/fit/task.ts';
import type { Mode } from '../../kit/nn/net.ts';
import type { Objective, ObjectiveScene } from '../../kit/nn/objectives/objective.ts';
import { firstOf, notNegative } from '../../kit/option-checks.ts';
import type { Threats } from './defence.ts';
import { adversarialName, craftWith, type InnerAttack } from './inner.ts';
import { checkInner, crossing, innerAbout, innerDefaults } from './options.ts';

export interface TwoSides extends Pick<ObjectiveScene, 'g' | 'classes' | 'label'> {
  /** Logits [N, classes] on the clean sample. */
  readonly clean: string;
  /** Logits [N, classes] on the adversarial one. */
  readonly adversarial: string;
}

/** The objective of which `loss` writes the value per sample, [N]. Training accuracy is that on clean samples. */
export const twoSided = (name: string, threats: Threats, loss: (sides: TwoSides) => string): Objective => ({
  name,
  write({ g, inputs, label, classes, network, input }) {
    const clean = network(inputs);
    const moved = Object.keys(threats)
      .filter((of) => inputs[of] !== undefined)
      .map((of) => [of, input(adversarialName(of), inputs[of]!.shape)] as const);
    const adversarial = network({ ...inputs, ...Object.fromEntries(moved) });
    return { logits: clean, loss: loss({ g, classes, label, clean, adversarial }) };
  },
});

export const twoSidedDefaults = { steps: 10, ...innerDefaults, start: 0.001 };

export const twoSidedAbout = {
  ...innerAbout,
  start: 'standard deviation of the first perturbation, in the units of the input',
} as const;

/** What the weight of the term that looks at both predictions is for. */
export const divergenceWeight = 'weight of the divergence between the predictions on the clean and on the adversarial sample';

export const checkTwoSided = (options: typeof twoSidedDefaults): string | undefined =>
  firstOf(checkInner(options), notNegative('start', options.start));

/** Points found by `climbs` from normal numbers around the sample: the divergence from the clean prediction has no gradient at the sample itself. */
export const besideTheSample = (
  name: string,
  threats: Threats,
  climbs: InnerAttack['climbs'],
  { steps, alpha, start, mode }: typeof twoSidedDefaults,
): Crafting =>
  craftWith({
    name,
    threats,
    steps,
    alpha: crossing(alpha, steps),
    start: (_, x, random) => x.map(() => start * random.normal()),
    climbs,
    hands: 'beside',
    mode: mode as Mode,
  });
