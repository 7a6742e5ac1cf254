/** @file The loss operations: classes along axis 1, integer targets, optional class weights, an index to ignore, three reductions. */
import { elementType } from '../../onnx/dtypes.ts';
import { intOf, type Node, stringOf } from '../../onnx/graph.ts';
import { i64 } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Family, Scene } from '../rule.ts';

type Op = 'NegativeLogLikelihoodLoss' | 'SoftmaxCrossEntropyLoss';

/** 1 where an element of x is that of the target, and the target is not ignored, else 0. */
function chosenBy(m: Algebra, x: string, node: Node, scene: Scene): string {
  const { g } = scene;
  const target = g.op('Unsqueeze', [g.op('Cast', [node.inputs[1]!], { to: elementType('int64') }), g.ints([1])]);
  const classes = Array.from({ length: scene.dims(x)[1]! }, (_, c) => c);
  const chosen = m.mask(g.op('Equal', [target, g.constant(i64(classes, perClass(x, scene)))]));
  const ignored = intOf(node, 'ignore_index');
  return ignored === undefined ? chosen : m.where(g.op('Equal', [target, g.constant(i64([ignored], []))]), 0, chosen);
}

/** The sizes a value per class broadcasts with against x. */
const perClass = (x: string, { dims }: Scene): number[] => [
  dims(x)[1]!,
  ...dims(x)
    .slice(2)
    .map(() => 1),
];

/**
 * l = -sum w x over the chosen elements of x, which is `value` and shaped like the node's first input (none: per target; sum; mean: divided by the sum of the w): dx = -dl w, and of the weight of a class
 * dw = -dl sum x over the elements of that class (mean: -dl sum (x + l)); all divided by the sum of the w for the mean.
 */
function throughLikelihood(
  m: Algebra,
  dl: string,
  value: string,
  node: Node,
  scene: Scene,
): { dx: string; dw: string | undefined } {
  const { g } = scene;
  const x = node.inputs[0]!;
  const weight = node.inputs[2] || undefined;
  const chosen = chosenBy(m, x, node, scene);
  const w = weight === undefined ? chosen : m.mul(chosen, g.op('Reshape', [weight, g.ints(perClass(x, scene))]));
  const reduction = stringOf(node, 'reduction', 'mean');
  const share =
    reduction === 'none'
      ? g.op('Unsqueeze', [dl, g.ints([1])])
      : reduction === 'sum'
        ? dl
        : m.over(dl, g.op('ReduceSum', [w], { keepdims: 0 }));
  const perElement = () => m.mul(chosen, reduction === 'mean' ? m.add(value, node.outputs[0]!) : value);
  const others = [
    0,
    ...scene
      .dims(x)
      .slice(2)
      .map((_, i) => i + 2),
  ];
  const dw = () => m.neg(g.op('ReduceSum', [m.mul(perElement(), share), g.ints(others)], { keepdims: 0 }));
  return { dx: m.neg(m.mul(w, share)), dw: weight !== undefined && scene.active(2) ? dw() : undefined };
}

export const losses: Family<Op> = {
  NegativeLogLikelihoodLoss: ([dl], node, scene) => {
    const x = node.inputs[0]!;
    if (dl === undefined) return [];
    const { dx, dw } = throughLikelihood(algebra(scene, x), dl, x, node, scene);
    return [dx, undefined, dw];
  },
  // the likelihood loss of p = log softmax(x), which is also an output: dx = dp - e^p sum dp
  SoftmaxCrossEntropyLoss: ([dl, dp], node, scene) => {
    const x = node.inputs[0]!;
    const m = algebra(scene, x);
    const p = node.outputs[1] || scene.g.op('LogSoftmax', [x], { axis: 1 });
    const through = dl === undefined ? undefined : throughLikelihood(m, dl, p, node, scene);
    const shares = [dp, through?.dx].filter((d) => d !== undefined);
    if (shares.length === 0) return [];
    const total = shares.reduce((a, b) => m.add(a, b));
    return [m.sub(total, m.mul(m.exp(p), m.sum(total, [1]))), undefined, through?.dw];
  },
};
