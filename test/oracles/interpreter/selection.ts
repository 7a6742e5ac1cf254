import { intOf, intsOf } from '../../../src/core/onnx/graph.ts';
import { axisOf, f64, filledBy, type Kernels, offsetOf } from './types.ts';

export const selection: Kernels = {
  Compress([x, condition], node) {
    const kept = Array.from(condition!.data).flatMap((c, i) => (c === 0 ? [] : [i]));
    const given = intOf(node, 'axis');
    if (given === undefined)
      return [
        f64(
          [kept.length],
          kept.map((i) => x!.data[i]!),
        ),
      ];
    const axis = axisOf(given, x!.dims.length);
    return [
      filledBy(
        x!.dims.map((d, i) => (i === axis ? kept.length : d)),
        (index) =>
          x!.data[
            offsetOf(
              x!.dims,
              index.map((v, i) => (i === axis ? kept[v]! : v)),
            )
          ]!,
      ),
    ];
  },

  MaxUnpool([x, places], node) {
    const kernel = intsOf(node, 'kernel_shape', []);
    const strides = intsOf(
      node,
      'strides',
      kernel.map(() => 1),
    );
    const pads = intsOf(
      node,
      'pads',
      [...kernel, ...kernel].map(() => 0),
    );
    const space = x!.dims.slice(2).map((d, i) => (d - 1) * strides[i]! - pads[i]! - pads[i + kernel.length]! + kernel[i]!);
    const y = filledBy([...x!.dims.slice(0, 2), ...space], () => 0);
    for (const [i, place] of places!.data.entries()) y.data[place] = x!.data[i]!;
    return [y];
  },

  OneHot([indices, depth, values], node) {
    const size = depth!.data[0]!;
    const axis = axisOf(intOf(node, 'axis', -1), indices!.dims.length + 1);
    const dims = [...indices!.dims.slice(0, axis), size, ...indices!.dims.slice(axis)];
    return [
      filledBy(dims, (index) => {
        const given =
          indices!.data[
            offsetOf(
              indices!.dims,
              index.filter((_, i) => i !== axis),
            )
          ]!;
        return values!.data[(given < 0 ? given + size : given) === index[axis] ? 1 : 0]!;
      }),
    ];
  },
};
