/** @file A convolution as one matrix product: y[p] = sum over taps t of x[at(p, t)] W[t], the rows of all taps gathered side by side. */
import type { Tensor } from '../../tensor/tensor.ts';
import { type Picture, type Plan, positionsOf, type Windows } from './picture.ts';
import { gatherRows, matrix } from './rows.ts';
import { eachTap, windowsAlong } from './windows.ts';

/** `weights` are [channels out, channels in, height, width]. */
export function convolution(from: Picture, weights: Tensor<'float32'>, windows: Windows, bias?: string): Plan {
  const [out, inside] = weights.dims as [number, number];
  const taps = windows.kernel[0] * windows.kernel[1];
  const size: Picture = [out, windowsAlong(windows, from, 0), windowsAlong(windows, from, 1)];
  return {
    side: size,
    size,
    weights,
    write(g, rows) {
      const outside = positionsOf(from);
      const at: number[] = [];
      eachTap(windows, from, size[1], size[2], (_window, _tap, position) => at.push(position ?? outside));
      const lists = g.op('Reshape', [gatherRows(g, rows, at, outside), g.ints([-1, taps * inside])]);
      const w = matrix(g, [taps * inside, out], (k) => {
        const [row, o] = [Math.floor(k / out), k % out];
        return weights.data[(o * inside + (row % inside)) * taps + Math.floor(row / inside)]!;
      });
      const product = bias ? g.op('Gemm', [lists, w, bias]) : g.op('MatMul', [lists, w]);
      return g.op('Reshape', [product, g.ints([-1, positionsOf(size), out])]);
    },
  };
}
