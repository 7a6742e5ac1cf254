/** @file Batch normalisation (Ioffe and Szegedy 2015): batch statistics in training, running ones in inference. */
import { float } from '../../../core/onnx/builder.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import { filled } from '../initialisers.ts';
import type { Layer } from '../net.ts';

export interface BatchNormOptions {
  readonly eps?: number;
  /** Share of the batch's statistics in the running ones after each step (PyTorch's momentum; Keras' is 1 minus it). */
  readonly momentum?: number;
  /** First value of every weight: the deviation of what comes out, before anything is learnt. */
  readonly scale?: number;
}

export const batchNormDefaults = { eps: 1e-5, momentum: 0.1, scale: 1 } as const;

/**
 * x [N, C, ...]: y = (x - mean) / sqrt(variance + eps) weight + bias per channel; statistics `running_mean` and `running_var`. The running variance takes
 * in the unbiased estimate, the normalisation the biased one, as PyTorch does.
 */
export const batchNorm =
  (options: BatchNormOptions = {}): Layer =>
  (net, x) => {
    const { eps, momentum, scale: first } = { ...batchNormDefaults, ...options };
    const { g } = net;
    const dims = [x.shape[0]!];
    const scale = net.parameter('weight', dims, filled(first));
    const shift = net.parameter('bias', dims, filled(0));
    const mean = net.statistic('running_mean', dims, 0);
    const variance = net.statistic('running_var', dims, 1);
    if (net.mode === 'inference')
      return {
        name: g.op('BatchNormalization', [x.name, scale, shift, mean, variance], { epsilon: float(eps) }),
        shape: x.shape,
      };
    // with momentum 0 the node returns the statistics of the batch alone; the runtime writes them over those it is given, so it is given others than ours
    const nothing = (like: string): string => g.op('Sub', [like, like]);
    const [y, batchMean, batchVariance] = g.ops(
      'BatchNormalization',
      [x.name, scale, shift, nothing(mean), nothing(variance)],
      3,
      {
        epsilon: float(eps),
        momentum: float(0),
        training_mode: 1,
      },
    );
    const mixed = (old: string, value: string): string =>
      g.op('Add', [g.op('Mul', [g.number(1 - momentum), old]), g.op('Mul', [g.number(momentum), value])]);
    net.update('running_mean', mixed(mean, batchMean!));
    const places = g.op('Mul', [
      g.op('Cast', [g.op('Shape', [x.name], { start: 0, end: 1 })], { to: 1 }),
      g.number(sizeOf(x.shape.slice(1))),
    ]);
    const unbiased = g.op('Mul', [batchVariance!, g.op('Div', [places, g.op('Sub', [places, g.number(1)])])]);
    net.update('running_var', mixed(variance, unbiased));
    return { name: y!, shape: x.shape };
  };
