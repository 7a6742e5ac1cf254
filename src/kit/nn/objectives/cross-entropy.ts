/** @file Cross-entropy with label smoothing: the standard objective. */

import { crossEntropy } from './losses.ts';
import type { Objective } from './objective.ts';

export const defaults = { smoothing: 0 };

/** -sum_c t_c log softmax(z)_c with t = (1 - smoothing) at the label plus smoothing / classes everywhere. */
export const standard = (options: Partial<typeof defaults> = {}): Objective => {
  const { smoothing } = { ...defaults, ...options };
  return {
    name: 'cross-entropy',
    write({ g, inputs, label, classes, network }) {
      const logits = network(inputs);
      return { logits, loss: crossEntropy(g, logits, label, { classes, smoothing }) };
    },
  };
};
