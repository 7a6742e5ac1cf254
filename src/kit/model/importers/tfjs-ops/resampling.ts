import { boolAttr, type Converter, inputOf, intsOf } from './node.ts';
import { asChannelsFirst, channelsFirst } from './value.ts';

/** The attribute axes (opset 18) would save the computed sizes, but onnxruntime 1.30 loses them when it moves a Transpose past the node. */
const resize =
  (mode: 'linear' | 'nearest'): Converter =>
  (context) => {
    const { g } = context;
    const x = inputOf(context, 0);
    const size = intsOf(context, 1);
    const aligned = boolAttr(context, 'align_corners');
    const half = boolAttr(context, 'half_pixel_centers');
    const input = asChannelsFirst(g, x);
    const attributes = {
      mode,
      coordinate_transformation_mode: aligned ? 'align_corners' : half ? 'half_pixel' : 'asymmetric',
      nearest_mode: mode === 'nearest' ? (aligned ? 'round_prefer_ceil' : 'floor') : undefined,
    };
    const head = g.op('Slice', [g.op('Shape', [input]), g.ints([0]), g.ints([2])]);
    const y = g.op('Resize', [input, '', '', g.op('Concat', [head, g.ints(size)], { axis: 0 })], attributes);
    return channelsFirst(y, [x.sizes?.[0] ?? null, size[0]!, size[1]!, x.sizes?.[3] ?? null]);
  };

export const resampling: Readonly<Record<string, Converter>> = {
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
};
