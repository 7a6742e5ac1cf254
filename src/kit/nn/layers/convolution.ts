/** @file Convolutions over one, two or three axes, channels first. */
import { filled, he, type Initialiser } from '../initialisers.ts';
import type { Layer } from '../net.ts';

export interface ConvolutionOptions {
  readonly stride?: number | readonly number[];
  /** Zeros before and after each axis; 'same' keeps the sizes at stride 1. */
  readonly padding?: number | readonly number[] | 'same';
  readonly dilation?: number | readonly number[];
  readonly groups?: number;
  readonly bias?: boolean;
  readonly initialise?: Initialiser;
}

export const convolutionDefaults = { stride: 1, padding: 0, dilation: 1, groups: 1, bias: true, initialise: he('in') } as const;

/** x [N, C, ...] to [N, out, ...] with as many spatial axes as `kernel` has sizes; weights `weight` [out, C / groups, ...kernel] and `bias` [out]. */
export const convolution =
  (out: number, kernel: readonly number[], options: ConvolutionOptions = {}): Layer =>
  (net, x) => {
    const { stride, padding, dilation, groups, bias, initialise } = { ...convolutionDefaults, ...options };
    const each = (value: number | readonly number[]): readonly number[] =>
      typeof value === 'number' ? kernel.map(() => value) : value;
    const [strides, dilations] = [each(stride), each(dilation)];
    const [channels, ...sizes] = x.shape as [number, ...number[]];
    if (sizes.length !== kernel.length) throw new Error(`a convolution over ${kernel.length} axes was given [${x.shape}]`);
    const reach = kernel.map((k, i) => (k - 1) * dilations[i]!);
    const before = padding === 'same' ? reach.map((r) => Math.floor(r / 2)) : each(padding);
    const after = padding === 'same' ? reach.map((r, i) => r - before[i]!) : before;
    const weight = net.parameter('weight', [out, channels / groups, ...kernel], initialise);
    const inputs = bias ? [x.name, weight, net.parameter('bias', [out], filled(0))] : [x.name, weight];
    const name = net.g.op('Conv', inputs, {
      kernel_shape: kernel,
      strides,
      dilations,
      pads: [...before, ...after],
      group: groups,
    });
    const shape = sizes.map((n, i) => Math.floor((n + before[i]! + after[i]! - reach[i]! - 1) / strides[i]!) + 1);
    return { name, shape: [out, ...shape] };
  };
