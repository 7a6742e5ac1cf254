import { boolAttr, type Context, type Converter, inputOf, intsOf, refuse } from './node.ts';
import { asChannelsFirst, asPlain, channelsFirst, channelsFirstAxis, isChannelsFirst, plain, type Sizes } from './value.ts';

/** Opset 18 gives all reductions their axes as an input. */
const reduce =
  (op: string): Converter =>
  (context) => {
    const { g } = context;
    const x = inputOf(context, 0);
    const axes = intsOf(context, 1);
    const keep = boolAttr(context, 'keep_dims');
    const rank = x.sizes?.length;
    const positive = rank === undefined ? axes : axes.map((a) => (a < 0 ? a + rank : a));
    const sizes = x.sizes && reducedSizes(x.sizes, positive, keep);
    if (isChannelsFirst(x)) {
      const overSpace = !keep && [...positive].sort().join() === '1,2';
      if (keep || overSpace) {
        const inputs = [asChannelsFirst(g, x), g.ints(positive.map(channelsFirstAxis))];
        const y = g.op(op, inputs, { keepdims: keep ? 1 : 0 });
        return keep ? channelsFirst(y, sizes) : plain(y, sizes);
      }
    }
    return plain(g.op(op, [asPlain(g, x), g.ints(axes)], { keepdims: keep ? 1 : 0 }), sizes);
  };

const reducedSizes = (sizes: Sizes, axes: readonly number[], keep: boolean): Sizes =>
  keep ? sizes.map((s, i) => (axes.includes(i) ? 1 : s)) : sizes.filter((_, i) => !axes.includes(i));

const softmax: Converter = (context: Context) => {
  const x = inputOf(context, 0);
  return plain(context.g.op('Softmax', [asPlain(context.g, x)], { axis: -1 }), x.sizes);
};

/** TensorFlow.js computes indices in int32. */
const argMax: Converter = (context) => {
  const { g } = context;
  const [axis] = intsOf(context, 1);
  if (axis === undefined) return refuse(context, 'the axis is missing');
  const x = inputOf(context, 0);
  const sizes = x.sizes && reducedSizes(x.sizes, [axis < 0 ? axis + x.sizes.length : axis], false);
  return plain(g.op('Cast', [g.op('ArgMax', [asPlain(g, x)], { axis, keepdims: 0 })], { to: 6 }), sizes);
};

export const reduction: Readonly<Record<string, Converter>> = {
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Sum: reduce('ReduceSum'),
  Prod: reduce('ReduceProd'),
  Softmax: softmax,
  ArgMax: argMax,
};
