import { convFilter, depthwiseFilter, samePads } from '../layout.ts';
import { activation } from './elementwise.ts';
import { type Context, type Converter, inputOf, intsAttr, refuse, stringAttr, stringsAttr, weightsOf } from './node.ts';
import { asChannelsFirst, channelsFirst, type Sizes, type Value } from './value.ts';

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
}

/** Height and width entries of a 4-entry NHWC list. */
export function spatial(context: Context, attr: string): [number, number] {
  const list = intsAttr(context, attr) ?? [1, 1, 1, 1];
  if (list.length !== 4 || list[0] !== 1 || list[3] !== 1) return refuse(context, `${attr} [${list}] is not of the form 1,h,w,1`);
  return [list[1]!, list[2]!];
}

/** Padding attributes of a window over the input, and the sizes that come out (height, width; null where unknown). */
export function windowed(context: Context, sizes: Sizes | undefined, { kernel, strides, dilations }: Window) {
  const layout = stringAttr(context, 'data_format');
  if (layout !== '' && layout !== 'NHWC') return refuse(context, `data format ${layout} is not converted`);
  const padding = stringAttr(context, 'padding');
  const input = [sizes?.[1] ?? null, sizes?.[2] ?? null] as const;
  const span = kernel.map((k, i) => (k - 1) * dilations[i]! + 1);
  const explicit = (pads: readonly (readonly [number, number])[]) => ({
    attributes: { pads: [pads[0]![0], pads[1]![0], pads[0]![1], pads[1]![1]] },
    out: input.map((size, i) =>
      size === null ? null : Math.floor((size + pads[i]![0] + pads[i]![1] - span[i]!) / strides[i]!) + 1,
    ),
  });
  switch (padding) {
    case 'VALID':
      return explicit([
        [0, 0],
        [0, 0],
      ]);
    case 'EXPLICIT': {
      const list = intsAttr(context, 'explicit_paddings') ?? [];
      if (list.length !== 8) return refuse(context, `explicit_paddings has ${list.length} entries, expected 8`);
      return explicit([
        [list[2]!, list[3]!],
        [list[4]!, list[5]!],
      ]);
    }
    case 'SAME': {
      const pads = input.map((size, i): [number, number] | null =>
        size !== null
          ? samePads(size, kernel[i]!, strides[i]!, dilations[i]!)
          : strides[i] === 1
            ? samePads(1, kernel[i]!, 1, dilations[i]!)
            : null,
      );
      if (pads.every((p) => p !== null)) return explicit(pads);
      return {
        attributes: { auto_pad: 'SAME_UPPER' },
        out: input.map((size, i) => (size === null ? null : Math.ceil(size / strides[i]!))),
      };
    }
    default:
      return refuse(context, `padding "${padding}" is not converted`);
  }
}

function convolve(context: Context, depthwise: boolean, extra: readonly string[]): Value {
  const { g } = context;
  const x = inputOf(context, 0);
  const filter = weightsOf(context, 1);
  const [h, w, channels] = filter.dims as [number, number, number, number];
  const weights = depthwise ? depthwiseFilter(filter) : convFilter(filter);
  const dilations = spatial(context, 'dilations');
  const strides = spatial(context, 'strides');
  const { attributes, out } = windowed(context, x.sizes, { kernel: [h, w], strides, dilations });
  const inputs = [asChannelsFirst(g, x), g.constant(weights)];
  const fused = [...extra];
  let next = 2;
  if (fused[0] === 'BiasAdd') {
    fused.shift();
    inputs.push(g.constant(weightsOf(context, next++)));
  }
  const group = depthwise ? channels : 1;
  const given = x.sizes?.[3] ?? channels;
  if (given !== channels)
    return refuse(context, `the filter has ${channels} channels, its input ${given}: grouped convolutions are not converted`);
  const y = g.op('Conv', inputs, { kernel_shape: [h, w], strides, dilations, group, ...attributes });
  let value = channelsFirst(y, [x.sizes?.[0] ?? null, ...out, weights.dims[0]!]);
  for (const name of fused) value = activation(context, name, value, name === 'Prelu' ? inputOf(context, next++) : undefined);
  return value;
}

const fusedOps = (context: Context): string[] => stringsAttr(context, 'fused_ops');

export const convolution: Readonly<Record<string, Converter>> = {
  Conv2D: (context) => convolve(context, false, []),
  _FusedConv2D: (context) => convolve(context, false, fusedOps(context)),
  DepthwiseConv2dNative: (context) => convolve(context, true, []),
  FusedDepthwiseConv2dNative: (context) => convolve(context, true, fusedOps(context)),
};
