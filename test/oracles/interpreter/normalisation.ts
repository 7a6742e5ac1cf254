import { floatOf, intOf, intsOf, type Node } from '../../../src/core/onnx/graph.ts';
import { reduce } from './reductions.ts';
import { axisOf, broadcastAt, type F64, f64, filledBy, type Kernels, offsetOf } from './types.ts';

const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const variance = (xs: readonly number[]): number => mean(xs.map((x) => (x - mean(xs)) ** 2));
const epsilonOf = (node: Node): number => floatOf(node, 'epsilon', 1e-5);
const at = (t: F64, index: readonly number[]): number => t.data[offsetOf(t.dims, index)]!;
const lastAxes = (first: number, rank: number): number[] => Array.from({ length: rank - first }, (_, i) => first + i);

/** (x - mean) / sqrt(variance + eps) over the given axes, with the mean and the reciprocal root. */
function standardise(x: F64, axes: readonly number[], eps: number): [h: F64, m: F64, r: F64] {
  const m = reduce(x, axes, mean);
  const r = reduce(x, axes, (xs) => 1 / Math.sqrt(variance(xs) + eps));
  return [filledBy(x.dims, (index) => (at(x, index) - broadcastAt(m, index)) * broadcastAt(r, index)), m, r];
}

/** x scaled and shifted by parameters looked up by channel (axis 1). */
const affine = (x: F64, parameter: (channel: number) => [scale: number, bias: number]): F64 =>
  filledBy(x.dims, (index) => {
    const [scale, bias] = parameter(index[1]!);
    return at(x, index) * scale + bias;
  });

/** Standardised over each group of channels of each sample. */
function grouped(x: F64, groups: number, eps: number): F64 {
  const [h] = standardise(f64([x.dims[0]!, groups, x.data.length / x.dims[0]! / groups], x.data), [2], eps);
  return f64(x.dims, h.data);
}

export const normalisation: Kernels = {
  BatchNormalization: ([x, scale, bias, m, v], node) => {
    const eps = epsilonOf(node);
    if (intOf(node, 'training_mode', 0) === 0) {
      return [
        filledBy(x!.dims, (index) => {
          const c = index[1]!;
          return ((at(x!, index) - m!.data[c]!) / Math.sqrt(v!.data[c]! + eps)) * scale!.data[c]! + bias!.data[c]!;
        }),
      ];
    }
    const axes = x!.dims.map((_, axis) => axis).filter((axis) => axis !== 1);
    const [h] = standardise(x!, axes, eps);
    const momentum = floatOf(node, 'momentum', 0.9);
    const running = (old: F64, now: F64) =>
      f64(
        old.dims,
        old.data.map((o, c) => momentum * o + (1 - momentum) * now.data[c]!),
      );
    return [
      affine(h, (c) => [scale!.data[c]!, bias!.data[c]!]),
      running(m!, reduce(x!, axes, mean)),
      running(v!, reduce(x!, axes, variance)),
    ];
  },
  InstanceNormalization: ([x, scale, bias], node) => [
    affine(grouped(x!, x!.dims[1]!, epsilonOf(node)), (c) => [scale!.data[c]!, bias!.data[c]!]),
  ],
  GroupNormalization: ([x, scale, bias], node) => {
    const groups = intOf(node, 'num_groups', 1);
    const perParameter = x!.dims[1]! / scale!.data.length;
    const parameter = (c: number) => Math.floor(c / perParameter);
    return [affine(grouped(x!, groups, epsilonOf(node)), (c) => [scale!.data[parameter(c)]!, bias!.data[parameter(c)]!])];
  },
  LayerNormalization: ([x, scale, bias], node) => {
    const rank = x!.dims.length;
    const [h, m, r] = standardise(x!, lastAxes(axisOf(intOf(node, 'axis', -1), rank), rank), epsilonOf(node));
    const shift = (index: readonly number[]) => (bias === undefined ? 0 : broadcastAt(bias, index));
    return [filledBy(h.dims, (index) => at(h, index) * broadcastAt(scale!, index) + shift(index)), m, r];
  },
  RMSNormalization: ([x, scale], node) => {
    const rank = x!.dims.length;
    const axes = lastAxes(axisOf(intOf(node, 'axis', -1), rank), rank);
    const r = reduce(x!, axes, (xs) => 1 / Math.sqrt(mean(xs.map((v) => v * v)) + epsilonOf(node)));
    return [filledBy(x!.dims, (index) => at(x!, index) * broadcastAt(r, index) * broadcastAt(scale!, index))];
  },
  MeanVarianceNormalization: ([x], node) => {
    const axes = intsOf(node, 'axes', [0, 2, 3]);
    const m = reduce(x!, axes, mean);
    const deviation = reduce(x!, axes, (xs) => Math.sqrt(variance(xs)) + 1e-9);
    return [filledBy(x!.dims, (index) => (at(x!, index) - broadcastAt(m, index)) / broadcastAt(deviation, index))];
  },
  LpNormalization: ([x], node) => {
    const axes = [axisOf(intOf(node, 'axis', -1), x!.dims.length)];
    const norm = reduce(x!, axes, (xs) =>
      intOf(node, 'p', 2) === 1 ? xs.reduce((a, b) => a + Math.abs(b), 0) : Math.hypot(...xs),
    );
    return [filledBy(x!.dims, (index) => at(x!, index) / (broadcastAt(norm, index) || 1))];
  },
  LRN: ([x], node) => {
    const size = intOf(node, 'size', 1);
    const [alpha, beta, bias] = [floatOf(node, 'alpha', 1e-4), floatOf(node, 'beta', 0.75), floatOf(node, 'bias', 1)];
    return [
      filledBy(x!.dims, (index) => {
        const c = index[1]!;
        let total = 0;
        const last = Math.min(x!.dims[1]! - 1, c + Math.ceil((size - 1) / 2));
        for (let i = Math.max(0, c - Math.floor((size - 1) / 2)); i <= last; i++) total += at(x!, index.with(1, i)) ** 2;
        return at(x!, index) / (bias + (alpha / size) * total) ** beta;
      }),
    ];
  },
};
