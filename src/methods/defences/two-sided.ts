/** @file Objectives over the predictions on a clean sample and on an adversarial one beside it. */
import type { Stream } from '../../core/tensor/random.ts';
import type { Objective, ObjectiveScene } from '../../kit/nn/objectives/objective.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Threats } from './defence.ts';
import { adversarialName } from './inner.ts';

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

/** Normal numbers of this deviation: the divergence from the clean prediction has no gradient at the clean sample itself. */
export const normalStart =
  (deviation: number) =>
  (_: Threat, x: Float32Array, random: Stream): Float32Array =>
    x.map(() => deviation * random.normal());
