/** @file The losses an attack maximises, chosen per sample by coefficients that are fed into one graph. */

/**
 * A weighted sum of heads over the logits z; heads left out weigh 0. Attacks maximise it.
 * - ce: -log softmax(z)[label]
 * - margin: z[label] - max over the others (enters with coefficient -1 when untargeted)
 * - dlr: -(z[label] - max other) / (z(1) - z(3) + 1e-12), at least 3 classes (Croce and Hein 2020)
 * - targetedDlr: -(z[label] - z[target]) / (z(1) - (z(3) + z(4)) / 2 + 1e-12), at least 4 classes
 * - linear: sum of linear[c] z[c]
 */
export interface Loss {
  readonly label: number;
  readonly target?: number;
  readonly ce?: number;
  readonly margin?: number;
  readonly dlr?: number;
  readonly targetedDlr?: number;
  readonly linear?: Float32Array;
}

/** What an attack wants of one sample. */
export type Goal =
  | { readonly kind: 'untargeted'; readonly label: number }
  | { readonly kind: 'targeted'; readonly label: number; readonly target: number };

/** Whether a prediction fulfils the goal. */
export const reached = (goal: Goal, prediction: number): boolean =>
  goal.kind === 'targeted' ? prediction === goal.target : prediction !== goal.label;

/** Cross-entropy towards the goal: away from the label, or (targeted) towards the target, both as something to maximise. */
export const crossEntropy = (goal: Goal): Loss =>
  goal.kind === 'targeted' ? { label: goal.target, ce: -1 } : { label: goal.label, ce: 1 };

/** How far a goal is from being reached: the largest logit that must fall above the largest that must rise; negative once it is reached. */
export function leadOf(goal: Goal, logits: ArrayLike<number>): number {
  let inside = Number.NEGATIVE_INFINITY;
  let outside = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < logits.length; c++) {
    if (reached(goal, c)) inside = Math.max(inside, logits[c]!);
    else outside = Math.max(outside, logits[c]!);
  }
  return outside - inside;
}
