import { intsOf } from '../../../src/core/onnx/graph.ts';
import { axisOf, f64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex, tapAt, windowAxes, windowCount } from './windows.ts';

export const patches: Kernels = {
  Col2Im([x, image, block], node) {
    const [sizes, kernel] = [Array.from(image!.data), Array.from(block!.data)];
    const axes = windowAxes(node, sizes, kernel);
    const counts = axes.map((a) => windowCount(a, false));
    const [samples, rows, columns] = x!.dims as [number, number, number];
    const elements = kernel.reduce((a, b) => a * b, 1);
    const channels = rows / elements;
    const dims = [samples, channels, ...sizes];
    const y = f64(dims, new Float64Array(dims.reduce((a, b) => a * b, 1)));
    everyIndex([samples, channels, ...kernel, ...counts], ([n, c, ...rest]) => {
      const [k, o] = [rest.slice(0, kernel.length), rest.slice(kernel.length)];
      const at = axes.map((a, i) => tapAt(a, o[i]!, k[i]!));
      if (!at.every((p, i) => p >= 0 && p < sizes[i]!)) return;
      const from = [n!, c! * elements + offsetOf(kernel, k), offsetOf(counts, o)];
      y.data[offsetOf(dims, [n!, c!, ...at])]! += x!.data[offsetOf([samples, rows, columns], from)]!;
    });
    return [y];
  },
  CenterCropPad([x, wanted], node) {
    const rank = x!.dims.length;
    const axes = intsOf(
      node,
      'axes',
      x!.dims.map((_, axis) => axis),
    ).map((axis) => axisOf(axis, rank));
    const dims = [...x!.dims];
    for (const [i, axis] of axes.entries()) dims[axis] = wanted!.data[i]!;
    // an odd element is cut at the end, and filled at the end
    const shift = dims.map((to, axis) =>
      to < x!.dims[axis]! ? Math.floor((x!.dims[axis]! - to) / 2) : -Math.floor((to - x!.dims[axis]!) / 2),
    );
    return [
      filledBy(dims, (index) => {
        const at = index.map((i, axis) => i + shift[axis]!);
        return at.every((p, axis) => p >= 0 && p < x!.dims[axis]!) ? x!.data[offsetOf(x!.dims, at)]! : 0;
      }),
    ];
  },
};
