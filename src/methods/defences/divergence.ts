/** @file KL divergence from a prediction as an attack loss over an oracle. */
import type { Loss } from '../../kit/losses/loss.ts';
import { logSumExp } from '../../kit/losses/score-loss.ts';
import { argmax } from '../../kit/model/oracle.ts';

/**
 * An attack loss over logits z' with the gradient of KL(softmax(z) || softmax(z')), which is softmax(z') - softmax(z). It exceeds the divergence by the
 * entropy of softmax(z), a constant: with y the class of the largest z, -log softmax(z')_y + sum_c (1[c = y] - p_c) z'_c = log sum exp z' - sum_c p_c z'_c.
 */
export function divergenceFrom(z: Float32Array): Loss {
  const label = argmax(z);
  const total = logSumExp(Array.from(z));
  return { label, ce: 1, linear: z.map((value, c) => (c === label ? 1 : 0) - Math.exp(value - total)) };
}
