import { floatOf, intOf, intsOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import { axisOf, type F64, filledBy, type Kernels, offsetOf } from './types.ts';

/** The part of an axis that is resized, in shares of its length: what tf_crop_and_resize takes from `roi`. */
type Region = readonly [start: number, end: number];

/** Where output position o lies on an input axis of `size` elements (ONNX, Resize, coordinate_transformation_mode). */
function position(node: Node, o: number, size: number, resized: number, scale: number, [start, end]: Region): number {
  const centre = (o + 0.5) / scale - 0.5;
  switch (stringOf(node, 'coordinate_transformation_mode', 'half_pixel')) {
    case 'half_pixel':
      return centre;
    case 'pytorch_half_pixel':
      return resized > 1 ? centre : 0;
    case 'align_corners':
      return resized === 1 ? 0 : (o * (size - 1)) / (resized - 1);
    case 'asymmetric':
      return o / scale;
    case 'half_pixel_symmetric':
      return (size / 2) * (1 - resized / (scale * size)) + centre;
    case 'tf_crop_and_resize':
      if (resized === 1) return 0.5 * (start + end) * (size - 1);
      return start * (size - 1) + (o * (end - start) * (size - 1)) / (resized - 1);
    default:
      throw new Error('this coordinate transformation is not in the reference interpreter');
  }
}

function nearest(node: Node, x: number): number {
  switch (stringOf(node, 'nearest_mode', 'round_prefer_floor')) {
    case 'round_prefer_floor':
      return x - Math.floor(x) <= 0.5 ? Math.floor(x) : Math.ceil(x);
    case 'round_prefer_ceil':
      return Math.round(x);
    case 'floor':
      return Math.floor(x);
    default:
      return Math.ceil(x);
  }
}

/** Value of a line of elements at x; positions beyond its ends repeat the end. */
function interpolated(node: Node, line: readonly number[], x: number): number {
  const element = (i: number): number => line[Math.min(Math.max(i, 0), line.length - 1)]!;
  const low = Math.floor(x);
  const t = x - low;
  switch (stringOf(node, 'mode', 'nearest')) {
    case 'nearest':
      return element(nearest(node, x));
    case 'linear':
      return (1 - t) * element(low) + t * element(low + 1);
    default: {
      const a = floatOf(node, 'cubic_coeff_a', -0.75);
      const weights = [
        ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1,
        ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a,
      ];
      const counted = weights.map((w, i) => {
        const outside = low - 1 + i < 0 || low - 1 + i >= line.length;
        return outside && intOf(node, 'exclude_outside', 0) === 1 ? 0 : w;
      });
      const total = intOf(node, 'exclude_outside', 0) === 1 ? counted.reduce((p, q) => p + q, 0) : 1;
      return counted.reduce((sum, w, i) => sum + w * element(low - 1 + i), 0) / total;
    }
  }
}

/** Value at x by a kernel widened to the spacing of the output, so that what lies between is averaged rather than skipped. */
function antialiased(node: Node, line: readonly number[], x: number, scale: number): number {
  const width = Math.max(1, 1 / scale);
  const a = floatOf(node, 'cubic_coeff_a', -0.75);
  const linear = stringOf(node, 'mode', 'nearest') === 'linear';
  const weight = (d: number): number => {
    if (linear) return Math.max(0, 1 - d);
    if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  let [sum, total] = [0, 0];
  for (let i = Math.floor(x - 2 * width); i <= x + 2 * width + 1; i++) {
    const outside = i < 0 || i >= line.length;
    const w = outside && intOf(node, 'exclude_outside', 0) === 1 ? 0 : weight(Math.abs(x - i) / width);
    sum += w * line[Math.min(Math.max(i, 0), line.length - 1)]!;
    total += w;
  }
  return sum / total;
}

function resizeAxis(t: F64, node: Node, axis: number, resized: number, scale: number, region: Region): F64 {
  const size = t.dims[axis]!;
  const cropped = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
  const stride = sizeOf(t.dims.slice(axis + 1));
  const lines = new Map<number, readonly number[]>();
  const lineFrom = (start: number): readonly number[] => {
    const line = lines.get(start) ?? Array.from({ length: size }, (_, v) => t.data[start + v * stride]!);
    lines.set(start, line);
    return line;
  };
  return filledBy(
    t.dims.map((d, i) => (i === axis ? resized : d)),
    (index) => {
      const line = lineFrom(
        offsetOf(
          t.dims,
          index.map((w, i) => (i === axis ? 0 : w)),
        ),
      );
      const x = position(node, index[axis]!, size, resized, scale, region);
      if (cropped && (x < 0 || x > size - 1)) return floatOf(node, 'extrapolation_value', 0);
      return intOf(node, 'antialias', 0) === 1 ? antialiased(node, line, x, scale) : interpolated(node, line, x);
    },
  );
}

export const resampling: Kernels = {
  Resize([x, roi, scales, sizes], node) {
    const named = intsOf(
      node,
      'axes',
      x!.dims.map((_, i) => i),
    ).map((a) => axisOf(a, x!.dims.length));
    const byScales = scales !== undefined && scales.data.length > 0;
    const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
    let factors = named.map((axis, i) => (byScales ? scales.data[i]! : sizes!.data[i]! / x!.dims[axis]!));
    if (policy === 'not_larger') factors = factors.map(() => Math.min(...factors));
    if (policy === 'not_smaller') factors = factors.map(() => Math.max(...factors));
    return [
      named.reduce((t, axis, i) => {
        const scale = factors[i]!;
        const kept = policy === 'stretch' ? sizes?.data[i] : Math.round(scale * t.dims[axis]!);
        const resized = byScales ? Math.floor(t.dims[axis]! * scale) : kept!;
        const region: Region = [roi?.data[i] ?? 0, roi?.data[i + named.length] ?? 1];
        const whole = scale === 1 && region[0] === 0 && region[1] === 1;
        return whole ? t : resizeAxis(t, node, axis, resized, scale, region);
      }, x!),
    ];
  },
};
