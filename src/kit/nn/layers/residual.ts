/** @file Residual blocks (He et al. 2016, arXiv 1512.03385), with the names of torchvision. */
import { he } from '../initialisers.ts';
import { type Layer, named } from '../net.ts';
import { relu } from './activations.ts';
import { batchNorm } from './batch-norm.ts';
import { convolution } from './convolution.ts';

export interface ResidualOptions {
  readonly stride?: number;
}

const square = (out: number, size: number, stride: number): Layer =>
  convolution(out, [size, size], { stride, padding: (size - 1) / 2, bias: false, initialise: he('out') });

/** x itself, or through a convolution of size 1 where channels or sizes change: scopes `downsample.0` and `downsample.1`. */
const shortcut =
  (out: number, stride: number): Layer =>
  (net, x) => {
    if (stride === 1 && x.shape[0] === out) return x;
    const inside = net.within('downsample');
    return named('1', batchNorm())(inside, named('0', square(out, 1, stride))(inside, x));
  };

/** Convolutions of these sizes and channels, each normalised, rectifiers between; added to the shortcut and rectified. */
const residual =
  (parts: readonly { readonly out: number; readonly size: number; readonly stride: number }[], stride: number): Layer =>
  (net, x) => {
    const { g } = net;
    let y = x;
    for (const [i, { out, size, stride: step }] of parts.entries()) {
      y = named(`bn${i + 1}`, batchNorm())(net, named(`conv${i + 1}`, square(out, size, step))(net, y));
      if (i < parts.length - 1) y = relu(net, y);
    }
    const around = shortcut(parts.at(-1)!.out, stride)(net, x);
    return relu(net, { name: g.op('Add', [y.name, around.name]), shape: y.shape });
  };

/** Two 3x3 convolutions: x [N, C, H, W] to [N, channels, H / stride, W / stride]. */
export const basicBlock = (channels: number, { stride = 1 }: ResidualOptions = {}): Layer =>
  residual(
    [
      { out: channels, size: 3, stride },
      { out: channels, size: 3, stride: 1 },
    ],
    stride,
  );

/** Convolutions of 1x1, 3x3 (which strides, as in torchvision) and 1x1 with four times the channels: to [N, 4 channels, H / stride, W / stride]. */
export const bottleneck = (channels: number, { stride = 1 }: ResidualOptions = {}): Layer =>
  residual(
    [
      { out: channels, size: 1, stride: 1 },
      { out: channels, size: 3, stride },
      { out: 4 * channels, size: 1, stride: 1 },
    ],
    stride,
  );
