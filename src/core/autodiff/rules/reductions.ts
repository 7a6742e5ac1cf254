/** @file Reductions: the cotangent is spread back over the axes that were reduced, weighted by the derivative of each element. */
import { intOf, type Node } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import { type Family, type Rule, type Scene, unary } from '../rule.ts';

type Op =
  | 'ReduceSum'
  | 'ReduceMean'
  | 'ReduceMax'
  | 'ReduceMin'
  | 'ReduceProd'
  | 'ReduceL1'
  | 'ReduceL2'
  | 'ReduceLogSum'
  | 'ReduceLogSumExp'
  | 'ReduceSumSquare'
  | 'CumSum';

/** What a formula for a reduction is written with. */
interface Reduction {
  readonly m: Algebra;
  readonly x: string;
  /** The cotangent and the value of the output, with the reduced axes kept as size 1. */
  readonly dy: string;
  readonly y: string;
  /** Reduces `value`, which has the shape of x, over the same axes, kept. */
  again(op: string, value: string): string;
}

/** Rule of a reduction: the formula gives dx up to broadcasting over the reduced axes. */
const reduction = (vjp: (r: Reduction, node: Node, scene: Scene) => string): Rule =>
  unary((dy, x, y, scene, node) => {
    const { g } = scene;
    const axes = node.inputs[1] ?? '';
    const all = axes === '' || scene.dims(axes)[0] === 0;
    const kept = (value: string) => (all || intOf(node, 'keepdims', 1) === 1 ? value : g.op('Unsqueeze', [value, axes]));
    const again = (op: string, value: string) =>
      g.op(op, all ? [value] : [value, axes], { keepdims: 1, noop_with_empty_axes: intOf(node, 'noop_with_empty_axes', 0) });
    return vjp({ m: algebra(scene, x), x, dy: kept(dy), y: kept(y), again }, node, scene);
  });

/** A value spread to the shape of x. */
const spread = (value: string, x: string, { g, shape }: Scene): string => g.op('Expand', [value, shape(x)]);

/** How many elements of x go into one of y: a number, or where a batch axis is reduced, read at run time. */
export function countOf(x: string, y: string, { dims, g }: Scene): number | string {
  const free = (name: string) => dims(name).filter((d) => d === null).length;
  const known = (name: string) => sizeOf(dims(name).map((d) => d ?? 1));
  if (free(x) === free(y) && known(y) > 0) return known(x) / known(y);
  const ratio = g.op('Div', [g.op('Size', [x]), g.op('Size', [y])]);
  return g.op('CastLike', [ratio, x]);
}

/** y = max (min) x: dy in equal parts to the elements that equal y, as PyTorch's amax and amin do. */
const extremum = reduction(({ m, x, dy, y, again }) => {
  const chosen = m.mask(m.equal(x, y));
  return m.mul(m.div(dy, again('ReduceSum', chosen)), chosen);
});

export const reductions: Family<Op> = {
  // y = sum x: dx = dy
  ReduceSum: reduction(({ x, dy }, _node, scene) => spread(dy, x, scene)),
  // y = (sum x) / n: dx = dy / n
  ReduceMean: reduction(({ m, x, dy }, node, scene) => spread(m.div(dy, countOf(x, node.outputs[0]!, scene)), x, scene)),
  ReduceMax: extremum,
  ReduceMin: extremum,
  // y = prod x: dx_i = dy times the product of the others, which is 0 where another one is 0
  ReduceProd: reduction(({ m, x, dy, again }) => {
    const isZero = m.equal(x, 0);
    const zero = m.mask(isZero);
    const nonzero = m.where(isZero, 1, x);
    const others = m.div(again('ReduceProd', nonzero), nonzero);
    return m.mul(dy, m.mul(others, m.mask(m.equal(again('ReduceSum', zero), zero))));
  }),
  // y = sum |x|: dx = dy sign x
  ReduceL1: reduction(({ m, x, dy }) => m.mul(dy, m.sign(x))),
  // y = sqrt(sum x^2): dx = dy x / y, and 0 where y is 0
  ReduceL2: reduction(({ m, x, dy, y }) => m.mul(x, m.over(dy, y))),
  // y = log(sum x): dx = dy / e^y
  ReduceLogSum: reduction(({ m, x, dy, y }, _node, scene) => spread(m.over(dy, m.exp(y)), x, scene)),
  // y = log(sum e^x): dx = dy e^(x - y)
  ReduceLogSumExp: reduction(({ m, x, dy, y }) => m.mul(dy, m.exp(m.sub(x, y)))),
  // y = sum x^2: dx = 2 dy x
  ReduceSumSquare: reduction(({ m, x, dy }) => m.mul(m.mul(2, dy), x)),
  // y_i = sum of x_j over j <= i (or the other way round, or without i): dx_j = sum of dy_i over the i that read j
  CumSum: unary((dy, _x, _y, { g }, node) =>
    g.op('CumSum', [dy, node.inputs[1]!], { exclusive: intOf(node, 'exclusive', 0), reverse: 1 - intOf(node, 'reverse', 0) }),
  ),
};
