/** @file The classes beside the label, and how far one of them leads it. */
import type { Loss } from '../../kit/losses/loss.ts';

/** Classes other than the label, highest logit first; the lower class wins a tie. */
export const rivalsOf = (label: number, logits: Float32Array): number[] =>
  Array.from(logits, (_, c) => c)
    .filter((c) => c !== label)
    .sort((a, b) => logits[b]! - logits[a]! || a - b);

/** z[rival] - z[label], to be raised. */
export function leadOver(label: number, rival: number, classes: number): Loss {
  const linear = new Float32Array(classes);
  linear[label] = -1;
  linear[rival] = 1;
  return { label, linear };
}
