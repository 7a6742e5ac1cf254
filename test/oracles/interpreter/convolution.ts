import { intOf, intsOf } from '../../../src/core/onnx/graph.ts';
import { type F64, f64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex, tapAt, windowAxes, windowCount } from './windows.ts';

/** Visits every product of a convolution: (image index, weight index, output index). `image` is the larger side, where taps lie. */
function everyTap(
  axes: ReturnType<typeof windowAxes>,
  counts: readonly number[],
  [n, m, channels, group]: readonly [number, number, number, number],
  visit: (image: readonly number[], weight: readonly number[], output: readonly number[]) => void,
): void {
  const kernel = axes.map((a) => a.kernel);
  everyIndex([n, m, channels], ([b, out, c]) => {
    const channel = Math.floor(out! / (m / group)) * channels + c!;
    everyIndex(counts, (o) => {
      everyIndex(kernel, (k) => {
        const at = axes.map((a, i) => tapAt(a, o[i]!, k[i]!));
        if (at.every((v, i) => v >= 0 && v < axes[i]!.size)) visit([b!, channel, ...at], [out!, c!, ...k], [b!, out!, ...o]);
      });
    });
  });
}

const started = (dims: readonly number[], bias: F64 | undefined): F64 => filledBy(dims, (index) => bias?.data[index[1]!] ?? 0);

export const convolution: Kernels = {
  Conv([x, w, bias], node) {
    const axes = windowAxes(node, x!.dims.slice(2), w!.dims.slice(2));
    const counts = axes.map((a) => windowCount(a, false));
    const [m, channels] = w!.dims as [number, number];
    const y = started([x!.dims[0]!, m, ...counts], bias);
    everyTap(axes, counts, [x!.dims[0]!, m, channels, intOf(node, 'group', 1)], (image, weight, output) => {
      y.data[offsetOf(y.dims, output)]! += x!.data[offsetOf(x!.dims, image)]! * w!.data[offsetOf(w!.dims, weight)]!;
    });
    return [y];
  },

  ConvTranspose([x, w, bias], node) {
    const group = intOf(node, 'group', 1);
    const counts = x!.dims.slice(2);
    const [m, channels, ...kernel] = w!.dims as [number, number, ...number[]];
    const windows = windowAxes(node, counts, kernel);
    const extra = intsOf(
      node,
      'output_padding',
      counts.map(() => 0),
    );
    const wanted = intsOf(node, 'output_shape');
    const axes = windows.map((a, i) => {
      const full = a.stride * (counts[i]! - 1) + extra[i]! + a.dilation * (a.kernel - 1) + 1;
      if (wanted === undefined) return { ...a, size: full - a.padBegin - a.padEnd };
      const total = Math.max(0, full - wanted[i]!);
      return { ...a, size: wanted[i]!, padBegin: total - Math.floor(total / 2) };
    });
    const y = started([x!.dims[0]!, channels * group, ...axes.map((a) => a.size)], bias);
    everyTap(axes, counts, [x!.dims[0]!, m, channels, group], (image, weight, output) => {
      y.data[offsetOf(y.dims, image)]! += x!.data[offsetOf(x!.dims, output)]! * w!.data[offsetOf(w!.dims, weight)]!;
    });
    return [f64(y.dims, y.data)];
  },
};
