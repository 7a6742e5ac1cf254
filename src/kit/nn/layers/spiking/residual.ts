/** @file Residual blocks of neurons, over time; x and result are spikes [N, T, C, H, W]. */
import { he } from '../../initialisers.ts';
import { type Layer, type Net, named, type Signal } from '../../net.ts';
import { convolution } from '../convolution.ts';
import { overTime } from '../shape.ts';
import { beforeSum } from './threshold-norm.ts';

/**
 * before: currents of block and shortcut are added before one layer of neurons (the ResNet-18 of the released PDSG code); sew: the spikes of both are added
 * (Fang et al. 2021, arXiv 2102.04159), so that values of 2 and more occur.
 */
export const residualKinds = ['before', 'sew'] as const;
export type ResidualKind = (typeof residualKinds)[number];

export interface SpikingBlockOptions {
  readonly kind: ResidualKind;
  readonly stride: number;
  readonly fire: Layer;
  norm(alpha?: number): Layer;
}

/** Two 3x3 convolutions, each normalised; the shortcut is the identity, or a normalised 1x1 convolution where sizes change. */
export const spikingBlock =
  (channels: number, { kind, stride, fire, norm }: SpikingBlockOptions): Layer =>
  (net, x) => {
    const alpha = kind === 'before' ? beforeSum : 1;
    const currents = (name: string, size: number, step: number, scale: number): Layer => {
      const options = { stride: step, padding: (size - 1) / 2, bias: false, initialise: he('out') };
      const conv = named(`conv${name}`, convolution(channels, [size, size], options));
      return overTime((inside, one) => named(`bn${name}`, norm(scale))(inside, conv(inside, one)));
    };
    const inner = named('lif1', fire)(net, currents('1', 3, stride, 1)(net, x));
    const main = currents('2', 3, 1, alpha)(net, inner);
    const same = stride === 1 && x.shape[1] === channels;
    const around = same ? x : currents('_around', 1, stride, alpha)(net, x);
    if (kind === 'before') return named('lif2', fire)(net, sum(net, main, around));
    return sum(net, named('lif2', fire)(net, main), same ? x : named('lif_around', fire)(net, around));
  };

const sum = ({ g }: Net, a: Signal, b: Signal): Signal => ({ name: g.op('Add', [a.name, b.name]), shape: a.shape });
