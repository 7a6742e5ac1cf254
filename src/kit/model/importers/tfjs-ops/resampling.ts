import { boolAttr, type Converter, inputOf, intsOf } from './node.ts';
import { asChannelsFirst, channelsFirst } from './value.ts';

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
      axes: [2, 3],
    };
    const y = g.op('Resize', [input, '', '', g.ints(size)], attributes);
    return channelsFirst(y, [x.sizes?.[0] ?? null, size[0]!, size[1]!, x.sizes?.[3] ?? null]);
  };

export const resampling: Readonly<Record<string, Converter>> = {
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
};
