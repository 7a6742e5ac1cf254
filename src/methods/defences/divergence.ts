/** @file KL divergence of predictions: as an attack loss over an oracle, and as nodes of an objective. */
import type { GraphBuilder } from '../../core/onnx/builder.ts';
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

/** KL(softmax(z) || softmax(other)) = sum_c p_c (log p_c - log q_c), [N]; both sides have gradients. */
export function divergence(g: GraphBuilder, z: string, other: string): string {
  const log = (logits: string): string => g.op('LogSoftmax', [logits], { axis: -1 });
  const gap = g.op('Sub', [log(z), log(other)]);
  return g.op('ReduceSum', [g.op('Mul', [g.op('Softmax', [z], { axis: -1 }), gap]), g.ints([-1])], { keepdims: 0 });
}
