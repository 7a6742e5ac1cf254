/** @file Convolution, normalisation, rectifier, maximum over pairs: what the small networks are stacks of. */
import { relu } from '../layers/activations.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { convolution } from '../layers/convolution.ts';
import { groupNorm, instanceNorm } from '../layers/norms.ts';
import { maxPool } from '../layers/pooling.ts';
import { type Layer, named } from '../net.ts';

export const normKinds = ['batch', 'group', 'instance', 'none'] as const;
export type NormKind = (typeof normKinds)[number];

/** Channels of stage i (from 0): doubled from stage to stage, up to four times the first. */
export const stageWidth = (width: number, stage: number): number => width * Math.min(2 ** stage, 4);

/** Halvings that leave at least `least` places on the shortest axis: at least one stage, at most `most`. */
export const stageCount = (sizes: readonly number[], least: number, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(Math.log2(Math.min(...sizes) / least))));

/** Normalisation of `channels` channels: groups are those of the largest count up to 8 that divides them. */
export const normOf = (kind: NormKind, channels: number): Layer => {
  const layers: Record<NormKind, () => Layer> = {
    batch: batchNorm,
    group: () => groupNorm([8, 7, 6, 5, 4, 3, 2, 1].find((groups) => channels % groups === 0)!),
    instance: instanceNorm,
    none: () => (_, x) => x,
  };
  return layers[kind]();
};

/** x [N, C, ...] to [N, channels, ... halved]: a single place is not halved. */
export const stage =
  (channels: number, kernel: number, norm: NormKind): Layer =>
  (net, x) => {
    const axes = x.shape.length - 1;
    const conv = convolution(channels, new Array<number>(axes).fill(kernel), { padding: 'same', bias: norm === 'none' });
    const convolved = named('norm', normOf(norm, channels))(net, named('conv', conv)(net, x));
    const rectified = relu(net, convolved);
    return maxPool(x.shape.slice(1).map((n) => Math.min(n, 2)))(net, rectified);
  };
