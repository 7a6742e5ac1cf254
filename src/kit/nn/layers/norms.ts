/** @file Normalisations that look at one sample alone: the same in training and inference. */
import { float } from '../../../core/onnx/builder.ts';
import { f32 } from '../../../core/tensor/tensor.ts';
import { filled } from '../initialisers.ts';
import type { Layer } from '../net.ts';

export interface NormOptions {
  readonly eps?: number;
}

export const normDefaults = { eps: 1e-5 } as const;

/** x [N, ..., C] standardised over its last axis, then times `weight` [C] plus `bias` [C] (Ba et al. 2016, arXiv 1607.06450). */
export const layerNorm =
  (options: NormOptions = {}): Layer =>
  (net, x) => {
    const { eps } = { ...normDefaults, ...options };
    const dims = [x.shape.at(-1)!];
    const inputs = [x.name, net.parameter('weight', dims, filled(1)), net.parameter('bias', dims, filled(0))];
    return { name: net.g.op('LayerNormalization', inputs, { axis: -1, epsilon: float(eps) }), shape: x.shape };
  };

/**
 * x [N, C, ...] standardised within each of `groups` equal groups of channels, then times `weight` [C] plus `bias` [C] (Wu and He 2018,
 * arXiv 1803.08494).
 */
export const groupNorm =
  (groups: number, options: NormOptions = {}): Layer =>
  (net, x) => {
    const { eps } = { ...normDefaults, ...options };
    const { g } = net;
    const [channels, ...places] = x.shape as [number, ...number[]];
    if (channels % groups !== 0) throw new Error(`${channels} channels cannot be split into ${groups} equal groups`);
    const each = (value: number): string => g.constant(f32(new Float32Array(groups).fill(value)));
    const rows = g.op('Reshape', [x.name, g.ints([0, groups, -1])]);
    const standard = g.op('InstanceNormalization', [rows, each(1), each(0)], { epsilon: float(eps) });
    const back = g.op('Reshape', [standard, g.ints([-1, ...x.shape])]);
    const perChannel = (name: string, value: number): string =>
      g.op('Reshape', [net.parameter(name, [channels], filled(value)), g.ints([channels, ...places.map(() => 1)])]);
    const name = g.op('Add', [g.op('Mul', [back, perChannel('weight', 1)]), perChannel('bias', 0)]);
    return { name, shape: x.shape };
  };

/** x [N, C, ...] standardised within each channel, then times `weight` [C] plus `bias` [C] (Ulyanov et al. 2016, arXiv 1607.08022). */
export const instanceNorm =
  (options: NormOptions = {}): Layer =>
  (net, x) => {
    const { eps } = { ...normDefaults, ...options };
    const dims = [x.shape[0]!];
    const inputs = [x.name, net.parameter('weight', dims, filled(1)), net.parameter('bias', dims, filled(0))];
    return { name: net.g.op('InstanceNormalization', inputs, { epsilon: float(eps) }), shape: x.shape };
  };
