/** @file Convolutions over one, two or three axes, channels first. */
import { filled, he, type Initialiser } from '../initialisers.ts';
import { type Layer, named } from '../net.ts';

export interface ConvolutionOptions {
  readonly stride?: number | readonly number[];
  /** Zeros before and after each axis; 'same' keeps the sizes at stride 1. */
  readonly padding?: number | readonly number[] | 'same';
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
  readonly bias?: boolean;
  readonly initialise?: Initialiser;
  readonly initialiseBias?: Initialiser;
}

export const convolutionDefaults = {
  stride: 1,
  padding: 0,
  dilation: 1,
  groups: 1,
  bias: true,
  initialise: he('in'),
  initialiseBias: filled(0),
} as const;

/**
 * x [N, C, ...] to [N, out, ...] with as many spatial axes as `kernel` has sizes; weights `weight` [out, C / groups, ...kernel] and `bias` [out]. Throws where
 * the groups do not divide the channels, or the kernel does not fit.
 */
export const convolution =
  (out: number, kernel: readonly number[], options: ConvolutionOptions = {}): Layer =>
  (net, x) => {
    const { stride, padding, dilation, groups, bias, initialise, initialiseBias } = { ...convolutionDefaults, ...options };
    const each = (value: number | readonly number[]): readonly number[] =>
      typeof value === 'number' ? kernel.map(() => value) : value;
    const [strides, dilations] = [each(stride), each(dilation)];
    const [channels, ...sizes] = x.shape as [number, ...number[]];
    if (sizes.length !== kernel.length) throw new Error(`a convolution over ${kernel.length} axes was given [${x.shape}]`);
    if (channels % groups !== 0 || out % groups !== 0)
      throw new Error(`${channels} channels cannot become ${out} in ${groups} equal groups`);
    const reach = kernel.map((k, i) => (k - 1) * dilations[i]!);
    const before = padding === 'same' ? reach.map((r) => Math.floor(r / 2)) : each(padding);
    const after = padding === 'same' ? reach.map((r, i) => r - before[i]!) : before;
    const shape = sizes.map((n, i) => Math.floor((n + before[i]! + after[i]! - reach[i]! - 1) / strides[i]!) + 1);
    if (shape.some((n) => n < 1)) throw new Error(`a kernel of [${kernel}] does not fit into [${x.shape}]`);
    const weight = net.parameter('weight', [out, channels / groups, ...kernel], initialise);
    const inputs = bias ? [x.name, weight, net.parameter('bias', [out], initialiseBias)] : [x.name, weight];
    const name = net.g.op('Conv', inputs, {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
      group: groups,
    });
    return { name, shape: [out, ...shape] };
  };

/** A convolution of every channel for itself: x [N, C, ...] to [N, C multiplier, ...]. */
export const depthwise =
  (
    kernel: readonly number[],
    { multiplier = 1, ...options }: Omit<ConvolutionOptions, 'groups'> & { multiplier?: number } = {},
  ): Layer =>
  (net, x) =>
    convolution(x.shape[0]! * multiplier, kernel, { ...options, groups: x.shape[0]! })(net, x);

/** A depthwise convolution, then one of size 1 that mixes the channels (Chollet 2017, arXiv 1610.02357); the options are those of the first. */
export const separable =
  (out: number, kernel: readonly number[], options: Omit<ConvolutionOptions, 'groups'> & { multiplier?: number } = {}): Layer =>
  (net, x) => {
    const { bias = convolutionDefaults.bias } = options;
    const each = named('depthwise', depthwise(kernel, { ...options, bias: false }))(net, x);
    return named(
      'pointwise',
      convolution(
        out,
        kernel.map(() => 1),
        { bias },
      ),
    )(net, each);
  };
