import { spatial, windowed } from './convolution.ts';
import { type Context, type Converter, inputOf } from './node.ts';
import { asChannelsFirst, channelsFirst } from './value.ts';

const pool =
  (op: 'MaxPool' | 'AveragePool'): Converter =>
  (context: Context) => {
    const x = inputOf(context, 0);
    const kernel = spatial(context, 'ksize');
    const strides = spatial(context, 'strides');
    const { attributes, out } = windowed(context, x.sizes, { kernel, strides, dilations: [1, 1] });
    const y = context.g.op(op, [asChannelsFirst(context.g, x)], { kernel_shape: kernel, strides, ...attributes });
    return channelsFirst(y, [x.sizes?.[0] ?? null, ...out, x.sizes?.[3] ?? null]);
  };

/** Padding takes no part in either: -infinity for the maximum, not counted in the mean (both libraries' rule). */
export const pooling: Readonly<Record<string, Converter>> = { MaxPool: pool('MaxPool'), AvgPool: pool('AveragePool') };
