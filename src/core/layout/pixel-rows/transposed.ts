/** @file A transposed convolution as one matrix product: x[p] = sum of y[q] W[t] over the pairs of window q and tap t that meet at p. */
import type { Tensor } from '../../tensor/tensor.ts';
import { type Picture, type Plan, positionsOf, type Windows } from './picture.ts';
import { gatherRows, matrix, withZeroRow } from './rows.ts';
import { eachTap, spanOf } from './windows.ts';

/** `weights` are [channels in, channels out, height, width]. */
export function transposed(from: Picture, weights: Tensor<'float32'>, windows: Windows): Plan {
  const [inside, out] = weights.dims as [number, number];
  const taps = windows.kernel[0] * windows.kernel[1];
  const length = (axis: number): number =>
    (from[axis + 1]! - 1) * windows.strides[axis]! +
    spanOf(windows, axis) +
    windows.outputPadding[axis]! -
    windows.before[axis]! -
    windows.after[axis]!;
  const size: Picture = [out, length(0), length(1)];
  return {
    side: from,
    size,
    weights,
    write(g, rows) {
      const meeting: number[][] = Array.from({ length: positionsOf(size) }, () => []);
      eachTap(windows, size, from[1], from[2], (window, tap, position) => {
        if (position !== undefined) meeting[position]!.push(window * taps + tap);
      });
      const none = positionsOf(from) * taps;
      const most = Math.max(1, ...meeting.map((pairs) => pairs.length));
      const w = matrix(g, [inside, taps * out], (k) => {
        const [c, column] = [Math.floor(k / (taps * out)), k % (taps * out)];
        return weights.data[(c * out + (column % out)) * taps + Math.floor(column / out)]!;
      });
      const products = g.op('MatMul', [g.op('Reshape', [rows, g.ints([-1, inside])]), w]);
      const each = g.op('Reshape', [products, g.ints([-1, none, out])]);
      const padded = meeting.some((pairs) => pairs.length < most) ? withZeroRow(g, each) : each;
      // an n-ary sum of gathered rows, not a reduction: that would round differently at a batch of 1
      const parts = Array.from({ length: most }, (_, k) => {
        const at = meeting.map((pairs) => pairs[k] ?? none);
        return gatherRows(g, padded, at, padded === each ? none : none + 1);
      });
      return parts.length === 1 ? parts[0]! : g.op('Sum', parts);
    },
  };
}
