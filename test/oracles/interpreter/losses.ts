import { intOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { logSoftmax } from './softmax.ts';
import { type F64, f64, filledBy, type Kernels, offsetOf } from './types.ts';

/** -w x at the target class of every position, reduced. */
function likelihoodLoss(x: F64, target: F64, weight: F64 | undefined, node: Node): F64 {
  const ignored = intOf(node, 'ignore_index');
  let total = 0;
  const each = filledBy(target.dims, (index) => {
    const [batch, ...rest] = index as [number, ...number[]];
    const t = target.data[offsetOf(target.dims, index)]!;
    if (t === ignored) return 0;
    const w = weight?.data[t] ?? 1;
    total += w;
    return -w * x.data[offsetOf(x.dims, [batch, t, ...rest])]!;
  });
  const reduction = stringOf(node, 'reduction', 'mean');
  if (reduction === 'none') return each;
  const sum = each.data.reduce((a, b) => a + b, 0);
  return f64([], [reduction === 'sum' ? sum : sum / total]);
}

export const losses: Kernels = {
  NegativeLogLikelihoodLoss: ([x, target, weight], node) => [likelihoodLoss(x!, target!, weight, node)],
  SoftmaxCrossEntropyLoss: ([x, target, weight], node) => {
    const p = logSoftmax(x!, 1);
    return [likelihoodLoss(p, target!, weight, node), p];
  },
};
