/** @file Ops that move, cut and join values. */
import { numbersOf } from '../../../../core/tensor/tensor.ts';
import { type Context, type Converter, inputOf, intAttr, intsAttr, intsOf, refuse } from './node.ts';
import { asChannelsFirst, asPlain, channelsFirst, channelsFirstAxis, isChannelsFirst, plain, type Sizes } from './value.ts';

const identity: Converter = (context) => inputOf(context, 0);

const reshape: Converter = (context) => {
  const { g } = context;
  const x = asPlain(g, inputOf(context, 0));
  const target = inputOf(context, 1);
  if (target.constant === undefined) return plain(g.op('Reshape', [x, g.op('Cast', [asPlain(g, target)], { to: 7 })]));
  const shape = numbersOf(target.constant);
  return plain(
    g.op('Reshape', [x, g.ints(shape)]),
    shape.map((s) => (s < 0 ? null : s)),
  );
};

const transpose: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const perm = intsOf(context, 1);
  const sizes = x.sizes && perm.map((p) => x.sizes![p]!);
  return plain(g.op('Transpose', [asPlain(g, x)], { perm }), sizes);
};

const pad: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const pairs = intsOf(context, 1);
  const fill = context.inputs[2] === undefined ? [] : [asPlain(g, context.inputs[2])];
  const before = pairs.filter((_, i) => i % 2 === 0);
  const after = pairs.filter((_, i) => i % 2 === 1);
  const sizes = x.sizes?.map((s, i) => (s === null ? null : s + before[i]! + after[i]!));
  if (!isChannelsFirst(x)) return plain(g.op('Pad', [asPlain(g, x), g.ints([...before, ...after]), ...fill]), sizes);
  const moved = (list: readonly number[]) => [list[0]!, list[3]!, list[1]!, list[2]!];
  return channelsFirst(g.op('Pad', [asChannelsFirst(g, x), g.ints([...moved(before), ...moved(after)]), ...fill]), sizes);
};

const concat: Converter = (context) => {
  const { g } = context;
  const values = context.inputs.slice(0, -1);
  const axis = intsOf(context, context.inputs.length - 1)[0]!;
  const all = values.map((v) => v.sizes);
  const sizes = all.every((s) => s !== undefined) ? joined(all, axis) : undefined;
  if (values.some(isChannelsFirst)) {
    const names = values.map((v) => asChannelsFirst(g, v));
    return channelsFirst(g.op('Concat', names, { axis: channelsFirstAxis(axis) }), sizes);
  }
  const names = values.map((v) => asPlain(g, v));
  return plain(g.op('Concat', names, { axis }), sizes);
};

function joined(all: readonly Sizes[], axis: number): Sizes {
  const along = axis < 0 ? axis + all[0]!.length : axis;
  const parts = all.map((s) => s[along]!);
  return all[0]!.map((s, i) => (i !== along ? s : parts.every((p) => p !== null) ? parts.reduce((a, b) => a + b, 0) : null));
}

const expandDims: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const axis = intsOf(context, 1)[0]!;
  const sizes = x.sizes?.toSpliced(axis < 0 ? axis + x.sizes.length + 1 : axis, 0, 1 as number | null);
  return plain(g.op('Unsqueeze', [asPlain(g, x), g.ints([axis])]), sizes);
};

const squeeze: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const axes = intsAttr(context, 'squeeze_dims') ?? intsAttr(context, 'axis') ?? [];
  const rank = x.sizes?.length ?? 0;
  const gone = axes.map((a) => (a < 0 ? a + rank : a));
  const sizes = axes.length > 0 ? x.sizes?.filter((_, i) => !gone.includes(i)) : undefined;
  return plain(g.op('Squeeze', axes.length > 0 ? [asPlain(g, x), g.ints(axes)] : [asPlain(g, x)]), sizes);
};

const largest = 2 ** 31 - 1;

/** begin, end and shrink masks; bit i of a mask concerns axis i. */
const stridedSlice: Converter = (context) => {
  const { g } = context;
  const [begin, end, strides] = [intsOf(context, 1), intsOf(context, 2), intsOf(context, 3)];
  const bit = (name: string, i: number) => ((intAttr(context, name, 0) >> i) & 1) === 1;
  for (const name of ['ellipsis_mask', 'new_axis_mask'])
    if (intAttr(context, name, 0) !== 0) return refuse(context, `${name} is not converted`);
  const axes = begin.map((_, i) => i);
  const shrunk = axes.filter((i) => bit('shrink_axis_mask', i));
  const starts = axes.map((i) => (bit('begin_mask', i) ? (strides[i]! > 0 ? 0 : largest) : begin[i]!));
  const ends = axes.map((i) => {
    if (bit('shrink_axis_mask', i)) return begin[i] === -1 ? largest : begin[i]! + 1;
    return bit('end_mask', i) ? (strides[i]! > 0 ? largest : -largest - 1) : end[i]!;
  });
  const steps = axes.map((i) => (bit('shrink_axis_mask', i) ? 1 : strides[i]!));
  const cut = g.op('Slice', [asPlain(g, inputOf(context, 0)), g.ints(starts), g.ints(ends), g.ints(axes), g.ints(steps)]);
  return plain(shrunk.length > 0 ? g.op('Squeeze', [cut, g.ints(shrunk)]) : cut);
};

const slice: Converter = (context) => {
  const { g } = context;
  const [begin, length] = [intsOf(context, 1), intsOf(context, 2)];
  const ends = begin.map((b, i) => (length[i] === -1 ? largest : b + length[i]!));
  const axes = begin.map((_, i) => i);
  return plain(g.op('Slice', [asPlain(g, inputOf(context, 0)), g.ints(begin), g.ints(ends), g.ints(axes)]));
};

const unpack: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const axis = intAttr(context, 'axis', 0);
  const sizes = x.sizes?.filter((_, i) => i !== (axis < 0 ? axis + x.sizes!.length : axis));
  const number = intAttr(context, 'num', 1);
  const parts = number === 1 ? [asPlain(g, x)] : g.ops('Split', [asPlain(g, x)], number, { axis, num_outputs: number });
  return parts.map((part) => plain(g.op('Squeeze', [part, g.ints([axis])]), sizes));
};

const split: Converter = (context) => {
  const { g } = context;
  const axis = intsOf(context, 0)[0]!;
  const number = intAttr(context, 'num_split', 1);
  const x = inputOf(context, 1);
  if (number === 1) return x;
  return g.ops('Split', [asPlain(g, x)], number, { axis, num_outputs: number }).map((part) => plain(part));
};

const pack: Converter = (context) => {
  const { g } = context;
  const axis = intAttr(context, 'axis', 0);
  const parts = context.inputs.map((v) => g.op('Unsqueeze', [asPlain(g, v), g.ints([axis])]));
  const sizes = context.inputs[0]?.sizes;
  const at = sizes === undefined || axis >= 0 ? axis : axis + sizes.length + 1;
  return plain(g.op('Concat', parts, { axis }), sizes?.toSpliced(at, 0, parts.length));
};

const gatherNd: Converter = (context) => {
  const { g } = context;
  return plain(g.op('GatherND', [asPlain(g, inputOf(context, 0)), g.op('Cast', [asPlain(g, inputOf(context, 1))], { to: 7 })]));
};

/** TensorFlow.js keeps shapes in int32. */
const shape: Converter = ({ g, ...context }: Context) =>
  plain(g.op('Cast', [g.op('Shape', [asPlain(g, inputOf({ g, ...context }, 0))])], { to: 6 }));

const depthToSpace: Converter = (context) => {
  const { g } = context;
  const x = inputOf(context, 0);
  const blocksize = intAttr(context, 'block_size', 1);
  const y = g.op('DepthToSpace', [asChannelsFirst(g, x)], { blocksize, mode: 'DCR' });
  const scale = (s: number | null | undefined, k: number) => (s === null || s === undefined ? null : s * k);
  const [n, h, w, c] = x.sizes ?? [];
  return channelsFirst(y, [n ?? null, scale(h, blocksize), scale(w, blocksize), scale(c, 1 / blocksize ** 2)]);
};

export const shapes: Readonly<Record<string, Converter>> = {
  Identity: identity,
  StopGradient: identity,
  Reshape: reshape,
  Transpose: transpose,
  Pad: pad,
  PadV2: pad,
  ConcatV2: concat,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  StridedSlice: stridedSlice,
  Slice: slice,
  Unpack: unpack,
  Split: split,
  Pack: pack,
  GatherNd: gatherNd,
  Shape: shape,
  DepthToSpace: depthToSpace,
};
