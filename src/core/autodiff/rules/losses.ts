/** @file The loss operations: classes along axis 1, integer targets, optional class weights, an index to ignore, three reductions. */
import { elementType } from '../../onnx/dtypes.ts';
import { intOf, type Node, stringOf } from '../../onnx/graph.ts';
import { i64 } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Family, Scene } from '../rule.ts';

type Op = 'NegativeLogLikelihoodLoss' | 'SoftmaxCrossEntropyLoss';

/** The weight of each element of x in the loss: that of its class where it is the target and the target is not ignored, else 0. */
function weights(m: Algebra, x: string, node: Node, scene: Scene): string {
  const { g } = scene;
  const [, rawTarget, weight] = node.inputs as [string, string, string?];
  const dims = scene.dims(x);
  const perClass = [dims[1]!, ...dims.slice(2).map(() => 1)];
  const target = g.op('Unsqueeze', [g.op('Cast', [rawTarget], { to: elementType('int64') }), g.ints([1])]);
  const classes = g.constant(
    i64(
      Array.from({ length: dims[1]! }, (_, c) => c),
      perClass,
    ),
  );
  const chosen = m.mask(g.op('Equal', [target, classes]));
  const weighted = weight === undefined || weight === '' ? chosen : m.mul(chosen, g.op('Reshape', [weight, g.ints(perClass)]));
  const ignored = intOf(node, 'ignore_index');
  return ignored === undefined ? weighted : m.where(g.op('Equal', [target, g.constant(i64([ignored], []))]), 0, weighted);
}

/** l = -sum w x over the chosen elements (none: per target; sum; mean: divided by the sum of w): dx = -dl w. */
function throughLikelihood(m: Algebra, dl: string, x: string, node: Node, scene: Scene): string {
  const { g } = scene;
  const w = weights(m, x, node, scene);
  const reduction = stringOf(node, 'reduction', 'mean');
  if (reduction === 'none') return m.neg(m.mul(w, g.op('Unsqueeze', [dl, g.ints([1])])));
  return m.neg(m.mul(w, reduction === 'sum' ? dl : m.over(dl, g.op('ReduceSum', [w], { keepdims: 0 }))));
}

export const losses: Family<Op> = {
  NegativeLogLikelihoodLoss: ([dl], node, scene) => {
    const x = node.inputs[0]!;
    return dl === undefined ? [] : [throughLikelihood(algebra(scene, x), dl, x, node, scene)];
  },
  // the likelihood loss of p = log softmax(x), which is also an output: dx = dp - e^p sum dp
  SoftmaxCrossEntropyLoss: ([dl, dp], node, scene) => {
    const x = node.inputs[0]!;
    const m = algebra(scene, x);
    const p = node.outputs[1] || scene.g.op('LogSoftmax', [x], { axis: 1 });
    const shares = dp === undefined ? [] : [dp];
    if (dl !== undefined) shares.push(throughLikelihood(m, dl, x, node, scene));
    if (shares.length === 0) return [];
    const total = shares.reduce((a, b) => m.add(a, b));
    return [m.sub(total, m.mul(m.exp(p), m.sum(total, [1])))];
  },
};
