/** @file Cross-entropy with label smoothing: the standard objective. */

import { UserError } from '../../../core/errors.ts';
import { crossEntropy } from './losses.ts';
import type { Objective } from './objective.ts';

export const defaults = { smoothing: 0 };

/** -sum_c t_c log softmax(z)_c with t = (1 - smoothing) at the label plus smoothing / classes everywhere. Throws a UserError for a smoothing below 0, of 1 or more. */
export const standard = (options: Partial<typeof defaults> = {}): Objective => {
  const { smoothing } = { ...defaults, ...options };
  if (!(smoothing >= 0 && smoothing < 1))
    throw new UserError(
      `smoothing is ${smoothing}: it is the share of the label spread over all classes, at least 0 and below 1`,
      'use e.g. 0.1, or leave smoothing out',
    );
  return {
    name: 'cross-entropy',
    write({ g, inputs, label, classes, network }) {
      const logits = network(inputs);
      return { logits, loss: crossEntropy(g, logits, label, { classes, smoothing }) };
    },
  };
};
