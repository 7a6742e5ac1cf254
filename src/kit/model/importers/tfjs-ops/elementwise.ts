import { float } from '../../../../core/onnx/builder.ts';
import { type Tensor, tensor } from '../../../../core/tensor/tensor.ts';
import { type Context, type Converter, floatAttr, inputOf, refuse, typeAttr } from './node.ts';
import { asChannelsFirst, asPlain, channelsFirst, isChannelsFirst, plain, type Sizes, type Value } from './value.ts';

/** Applies nodes that treat every element alike, in whatever layout the value has. */
export function mapped(context: Context, value: Value, nodes: (name: string) => string): Value {
  return isChannelsFirst(value)
    ? channelsFirst(nodes(asChannelsFirst(context.g, value)), value.sizes)
    : plain(nodes(asPlain(context.g, value)), value.sizes);
}

const unary =
  (op: string): Converter =>
  (context) =>
    mapped(context, inputOf(context, 0), (x) => context.g.op(op, [x]));

/** The activation a fused node names; `slope` belongs to Prelu. */
export function activation(context: Context, name: string, value: Value, slope?: Value): Value {
  const { g } = context;
  switch (name) {
    case 'Relu':
    case 'Elu':
    case 'Sigmoid':
    case 'Tanh':
      return mapped(context, value, (x) => g.op(name, [x]));
    case 'Relu6':
      return mapped(context, value, (x) => g.op('Clip', [x, g.number(0), g.number(6)]));
    case 'LeakyRelu': {
      const alpha = floatAttr(context, context.node.op === 'LeakyRelu' ? 'alpha' : 'leakyrelu_alpha', 0.2);
      return mapped(context, value, (x) => g.op('LeakyRelu', [x], { alpha: float(alpha) }));
    }
    case 'Prelu':
      return slope === undefined ? refuse(context, 'Prelu without its slope') : broadcast(context, 'PRelu', [value, slope]);
    default:
      return refuse(context, `the fused activation ${name} is not converted`);
  }
}

const activated =
  (name: string): Converter =>
  (context) =>
    activation(context, name, inputOf(context, 0), context.inputs[1]);

/** An op with broadcasting over any number of inputs: channels-first if one of them is and the others can follow for nothing. */
export function broadcast(context: Context, op: string, values: readonly Value[]): Value {
  const { g } = context;
  const sizes = broadcastSizes(values.map((v) => v.sizes));
  if (values.some(isChannelsFirst)) {
    const names = values.map((v) => aligned(context, v));
    if (names.every((name) => name !== undefined)) return channelsFirst(g.op(op, names), sizes);
  }
  return plain(
    g.op(
      op,
      values.map((v) => asPlain(g, v)),
    ),
    sizes,
  );
}

/** The name under which a value broadcasts against NCHW, or undefined where its rank is not known. */
function aligned({ g }: Context, value: Value): string | undefined {
  if (isChannelsFirst(value)) return asChannelsFirst(g, value);
  const rank = value.sizes?.length;
  if (rank === 4) return asChannelsFirst(g, value);
  if (rank === 0) return asPlain(g, value);
  const { constant } = value;
  if (constant === undefined || !constant.dims.slice(0, -1).every((d) => d === 1)) return undefined;
  return g.constant(reshaped(constant, [constant.dims.at(-1)!, 1, 1]));
}

const reshaped = (t: Tensor, dims: readonly number[]): Tensor => tensor(t.dtype, dims, t.data as never);

function broadcastSizes(all: readonly (Sizes | undefined)[]): Sizes | undefined {
  if (!all.every((s) => s !== undefined)) return undefined;
  const rank = Math.max(...all.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    const here = all.map((s) => (axis < rank - s.length ? 1 : s[axis - rank + s.length]!));
    return here.every((d) => d !== null) ? Math.max(...here) : null;
  });
}

const nary =
  (op: string): Converter =>
  (context) =>
    broadcast(context, op, context.inputs);

/** Rounds down; ONNX's integer Div rounds towards zero, so the remainder (of the divisor's sign) is taken off first. */
const floorDiv: Converter = (context) => {
  const { g, inputs } = context;
  if (typeAttr(context, 'T') !== 'DT_INT32') return mapped(context, broadcast(context, 'Div', inputs), (x) => g.op('Floor', [x]));
  const [a, b] = [inputOf(context, 0), inputOf(context, 1)];
  return broadcast(context, 'Div', [broadcast(context, 'Sub', [a, broadcast(context, 'Mod', [a, b])]), b]);
};

const square: Converter = (context) => mapped(context, inputOf(context, 0), (x) => context.g.op('Mul', [x, x]));

const squaredDifference: Converter = (context) =>
  mapped(context, broadcast(context, 'Sub', context.inputs), (x) => context.g.op('Mul', [x, x]));

const rsqrt: Converter = (context) =>
  mapped(context, inputOf(context, 0), (x) => context.g.op('Reciprocal', [context.g.op('Sqrt', [x])]));

const types = { DT_FLOAT: 1, DT_INT32: 6, DT_BOOL: 9, DT_INT64: 6 } as const;

/** TensorFlow.js has no int64: it computes such values in int32. */
const cast: Converter = (context) => {
  const to = types[typeAttr(context, 'DstT') as keyof typeof types];
  if (to === undefined) return refuse(context, `a cast to ${typeAttr(context, 'DstT')} is not converted`);
  return mapped(context, inputOf(context, 0), (x) => context.g.op('Cast', [x], { to }));
};

export const elementwise: Readonly<Record<string, Converter>> = {
  Add: nary('Add'),
  AddV2: nary('Add'),
  BiasAdd: nary('Add'),
  Sub: nary('Sub'),
  Mul: nary('Mul'),
  RealDiv: nary('Div'),
  Div: nary('Div'),
  FloorDiv: floorDiv,
  Maximum: nary('Max'),
  Minimum: nary('Min'),
  AddN: nary('Sum'),
  Square: square,
  SquaredDifference: squaredDifference,
  Rsqrt: rsqrt,
  Cast: cast,
  Relu: activated('Relu'),
  Relu6: activated('Relu6'),
  Elu: activated('Elu'),
  Sigmoid: activated('Sigmoid'),
  Tanh: activated('Tanh'),
  LeakyRelu: activated('LeakyRelu'),
  Prelu: activated('Prelu'),
  Sqrt: unary('Sqrt'),
  Abs: unary('Abs'),
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Floor: unary('Floor'),
};
