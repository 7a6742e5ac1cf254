import { checkLoss } from './graph.ts';
import type { Loss } from './loss.ts';

/**
 * The loss of one sample from its logits, in float64: the plain definition of what graph.ts computes, for score-based attacks and for tests.
 * Throws as lossFeeds does.
 */
export function scoreLoss(loss: Loss, logits: ArrayLike<number>): number {
  checkLoss(loss, logits.length);
  const z = Array.from(logits);
  const own = z[loss.label]!;
  let total = 0;
  if (loss.ce) total += loss.ce * (logSumExp(z) - own);
  if (loss.margin) total += loss.margin * (own - largestOther(z, loss.label));
  if (loss.dlr) {
    const [first, , third] = descending(z);
    total += (loss.dlr * -(own - largestOther(z, loss.label))) / (first! - third! + 1e-12);
  }
  if (loss.targetedDlr) {
    const [first, , third, fourth] = descending(z);
    total += (loss.targetedDlr * -(own - z[loss.target!]!)) / (first! - (third! + fourth!) / 2 + 1e-12);
  }
  if (loss.linear) total += loss.linear.reduce((sum, weight, c) => sum + weight * z[c]!, 0);
  return total;
}

/** z[label] - max over the others: negative once the sample is misclassified. */
export const marginOf = (logits: ArrayLike<number>, label: number): number =>
  logits[label]! - largestOther(Array.from(logits), label);

const largestOther = (z: readonly number[], label: number): number =>
  z.reduce((best, value, c) => (c === label ? best : Math.max(best, value)), Number.NEGATIVE_INFINITY);

const descending = (z: readonly number[]): number[] => [...z].sort((a, b) => b - a);

/** Cross-entropy of one row of logits, in float64; not finite where a logit is not. */
export const crossEntropyOf = (logits: ArrayLike<number>, label: number): number =>
  logSumExp(Array.from(logits)) - logits[label]!;

/** log(sum(exp(z))), without overflow. */
export function logSumExp(z: readonly number[]): number {
  const top = Math.max(...z);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(z.reduce((sum, value) => sum + Math.exp(value - top), 0));
}
