import { intOf, intsOf } from '../../../src/core/onnx/graph.ts';
import { type F64, f64, filledBy, type Kernels } from './types.ts';
import { everyIndex, tapAt, windowAxes, windowCount } from './windows.ts';

type Axes = ReturnType<typeof windowAxes>;

/** Visits every product of a convolution as flat positions (in the image, the weights, the output). `image` is the larger side, where taps lie. */
function everyTap(
  axes: Axes,
  counts: readonly number[],
  [n, m, channels, group]: readonly [number, number, number, number],
  visit: (image: number, weight: number, output: number) => void,
): void {
  const along = (axis: number, image: number, weight: number, output: number): void => {
    if (axis === axes.length) {
      visit(image, weight, output);
      return;
    }
    const { size, kernel } = axes[axis]!;
    for (let o = 0; o < counts[axis]!; o++)
      for (let k = 0; k < kernel; k++) {
        const at = tapAt(axes[axis]!, o, k);
        if (at >= 0 && at < size) along(axis + 1, image * size + at, weight * kernel + k, output * counts[axis]! + o);
      }
  };
  everyIndex([n, m, channels], ([b, out, c]) => {
    const channel = Math.floor(out! / (m / group)) * channels + c!;
    along(0, b! * channels * group + channel, out! * channels + c!, b! * m + out!);
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
      y.data[output]! += x!.data[image]! * w!.data[weight]!;
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
      y.data[image]! += x!.data[output]! * w!.data[weight]!;
    });
    return [f64(y.dims, y.data)];
  },
};
