/** @file Nodes of NIR files that act on every time step for itself: products, convolutions, pools. */
import { UserError } from '../../../../core/errors.ts';
import { f32, sizeOf } from '../../../../core/tensor/tensor.ts';
import { coefficient, type Flow, type OpenLayer, perElement, stateless, weights } from './layer.ts';
import { describeNode, type NirNode, numbersIn, optionalNumbers, optionalText, shapeIn, wholeIn } from './tree.ts';

const misfit = (node: NirNode, shape: readonly number[], want: string): never => {
  throw new UserError(
    `${describeNode(node)} expects ${want}, but is given [${shape}]`,
    'the shapes of the file contradict each other: export it again with a sample of the right shape',
  );
};

/** y = W x (+ b) over the last axis; weights with more axes have matrices of their own for the axes before. */
const affine: OpenLayer = (node, shape, { g }) => {
  const dims = numbersIn(node, 'weight').shape;
  const [out, into] = dims.slice(-2) as [number, number];
  if (dims.length < 2 || shape.at(-1) !== into || (dims.length > 2 && dims.slice(0, -2).join() !== shape.slice(0, -1).join()))
    misfit(node, shape, `[${dims.length < 3 ? '' : `${dims.slice(0, -2)},`}${into}]`);
  const result = [...shape.slice(0, -1), out];
  const weight = g.constant(weights(node, 'weight'));
  const bias =
    node.type === 'Affine' ? g.constant(f32(Float32Array.from(perElement(node, 'bias', result)), [1, ...result])) : undefined;
  const flat = dims.length === 2 && shape.length === 1;
  const product = (x: string): string => {
    if (dims.length === 2) return g.op('MatMul', [x, g.op('Transpose', [weight], { perm: [1, 0] })]);
    return g.op('Squeeze', [g.op('MatMul', [weight, g.op('Unsqueeze', [x, g.ints([-1])])]), g.ints([-1])]);
  };
  return stateless(result, (x) => {
    if (x === undefined) return bias;
    if (flat) return g.op('Gemm', bias === undefined ? [x, weight] : [x, weight, bias], { transB: 1 });
    return bias === undefined ? product(x) : g.op('Add', [product(x), bias]);
  });
};

/** What is added at both ends of every axis. */
function padding(
  node: NirNode,
  axes: number,
  kernel: readonly number[],
  dilation: readonly number[],
): { before: number[]; after: number[] } {
  const text = optionalText(node, 'padding');
  if (text === 'valid') return { before: kernel.map(() => 0), after: kernel.map(() => 0) };
  if (text === undefined) {
    const both = [...wholeIn(node, 'padding', axes)];
    return { before: both, after: both };
  }
  if (text !== 'same')
    throw new UserError(`${describeNode(node)}: the padding "${text}" is not known`, 'it may be same, valid, or whole numbers');
  const reach = kernel.map((k, i) => (k - 1) * dilation[i]!);
  return { before: reach.map((r) => Math.floor(r / 2)), after: reach.map((r) => r - Math.floor(r / 2)) };
}

const convolution =
  (axes: 1 | 2): OpenLayer =>
  (node, shape, { g }) => {
    const dims = numbersIn(node, 'weight').shape;
    const kernel = dims.slice(2);
    const [group] = wholeIn(node, 'groups', 1) as [number];
    const [out, channels] = [dims[0]!, (dims[1] ?? 0) * group];
    const stated = shapeIn(node, 'input_shape');
    if (dims.length !== axes + 2 || shape.length !== axes + 1 || shape[0] !== channels)
      misfit(node, shape, `[${channels},${axes === 1 ? 'length' : 'height,width'}]`);
    if (stated !== undefined && stated.join() !== shape.slice(1).join()) misfit(node, shape, `[${channels},${stated}]`);
    const [strides, dilations] = [wholeIn(node, 'stride', axes), wholeIn(node, 'dilation', axes)];
    const { before, after } = padding(node, axes, kernel, dilations);
    const sizes = kernel.map(
      (k, i) => Math.floor((shape[i + 1]! + before[i]! + after[i]! - (k - 1) * dilations[i]! - 1) / strides[i]!) + 1,
    );
    if (sizes.some((n) => n < 1)) misfit(node, shape, `a signal that its kernel of [${kernel}] fits into`);
    const result = [out, ...sizes];
    const bias = optionalNumbers(node, 'bias');
    const weight = g.constant(weights(node, 'weight'));
    const biases = bias === undefined ? undefined : weights(node, 'bias', [out]);
    const shift = biases === undefined || biases.data.every((v) => v === 0) ? undefined : g.constant(biases);
    return stateless(result, (x) => {
      if (x === undefined) {
        if (shift === undefined) return undefined;
        const each = sizeOf(sizes);
        return g.constant(
          f32(
            Float32Array.from({ length: out * each }, (_, i) => biases!.data[Math.floor(i / each)]!),
            [1, ...result],
          ),
        );
      }
      const attributes = { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
      return g.op('Conv', shift === undefined ? [x, weight] : [x, weight, shift], attributes);
    });
  };

/** Means count the zeros of the padding, as in PyTorch; sums are a convolution by ones, exact where a mean times its count is not. */
const pool: OpenLayer = (node, shape, { g }) => {
  if (shape.length !== 3) misfit(node, shape, '[channels,height,width]');
  const [kernel, strides, pads] = [wholeIn(node, 'kernel_size', 2), wholeIn(node, 'stride', 2), wholeIn(node, 'padding', 2)];
  const sizes = kernel.map((k, i) => Math.floor((shape[i + 1]! + 2 * pads[i]! - k) / strides[i]!) + 1);
  if (sizes.some((n) => n < 1)) misfit(node, shape, `a signal that windows of [${kernel}] fit into`);
  const channels = shape[0]!;
  const attributes = { kernel_shape: kernel, strides, pads: [...pads, ...pads] };
  const ones =
    node.type === 'SumPool2d'
      ? g.constant(f32(new Float32Array(channels * sizeOf(kernel)).fill(1), [channels, 1, ...kernel]))
      : undefined;
  return stateless([channels, ...sizes], (x) => {
    if (x === undefined) return undefined;
    if (ones !== undefined) return g.op('Conv', [x, ones], { ...attributes, group: channels });
    return g.op('AveragePool', [x], { ...attributes, count_include_pad: 1 });
  });
};

const flatten: OpenLayer = (node, shape, { g }) => {
  const at = (field: string, otherwise: number): number => {
    const [stated = otherwise] = node.fields.has(field) ? wholeIn(node, field, 1) : [];
    const axis = stated < 0 ? stated + shape.length : stated;
    if (axis < 0 || axis >= shape.length) misfit(node, shape, `a signal with the axis ${stated}`);
    return axis;
  };
  const [start, end] = [at('start_dim', 1), at('end_dim', -1)];
  const result = [...shape.slice(0, start), sizeOf(shape.slice(start, end + 1)), ...shape.slice(end + 1)];
  return stateless(result, (x) => (x === undefined ? undefined : g.op('Reshape', [x, g.ints([-1, ...result])])));
};

const scale: OpenLayer = (node, shape, { g }) => {
  const by = coefficient(g, perElement(node, 'scale', shape), shape, 1);
  return stateless(shape, (x) => (x === undefined || by === undefined ? x : g.op('Mul', [x, by])));
};

const threshold: OpenLayer = (node, shape, { g }) => {
  const level = coefficient(g, perElement(node, 'threshold', shape), shape)!;
  const zeros = (): string => g.constant(f32(new Float32Array(sizeOf(shape)), [1, ...shape]));
  return stateless(shape, (x: Flow) => g.op('Cast', [g.op('Greater', [x ?? zeros(), level])], { to: 1 }));
};

/** Input and Output: what flows through them is what has to have their shape. */
const door: OpenLayer = (node, shape) => {
  const stated = shapeIn(node, 'shape');
  if (stated !== undefined && stated.join() !== shape.join()) misfit(node, shape, `[${stated}]`);
  return stateless(shape, (x) => x);
};

export const layers: Readonly<Record<string, OpenLayer>> = {
  Input: door,
  Output: door,
  Affine: affine,
  Linear: affine,
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  SumPool2d: pool,
  AvgPool2d: pool,
  Flatten: flatten,
  Scale: scale,
  Threshold: threshold,
};
