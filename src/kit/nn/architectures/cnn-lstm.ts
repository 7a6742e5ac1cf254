/**
 * @file Convolutions over blocks of a spectrogram, then a recurrent layer over the blocks: the speech emotion model of Facchinetti, Simonetta and
 * Ntalampiras 2024 (arXiv 2404.18514), as in its authors' notebooks. At [261, 128, 1] and 5 classes it has 3 960 389 numbers, 32 of them statistics.
 */
import { UserError } from '../../../core/errors.ts';
import { belowOne, firstOf, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { glorot } from '../initialisers.ts';
import { relu } from '../layers/activations.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { convolution } from '../layers/convolution.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { maxPool } from '../layers/pooling.ts';
import { lstm } from '../layers/recurrent.ts';
import { flatten, overTime, permute, reshape } from '../layers/shape.ts';
import { chain, named } from '../net.ts';
import { arrangedInput } from './input.ts';

const defaults = { p: 0.3, q: 0.2, units: 256, blocks: 9 };

/** The convolutional part of one block [C, frames, bands]: features in the order frame, band, channel. */
const perBlock = chain(
  named('conv1', convolution(16, [5, 5], { initialise: glorot })),
  relu,
  named('bn1', batchNorm({ eps: 1e-3, momentum: 0.01 })),
  maxPool(4, { stride: 2 }),
  named('conv2', convolution(32, [3, 3], { initialise: glorot })),
  relu,
  maxPool(2, { stride: 2 }),
  named('conv3', convolution(64, [3, 3], { initialise: glorot })),
  relu,
  maxPool(2, { stride: 1 }),
  permute([1, 2, 0]),
  flatten,
);

/** Fewest frames, and bands, of a block for which every window above finds a place. */
const least = 26;

/** One spectrogram [C, T, F] (or a picture, H its time), cut into equal blocks of frames. */
export const cnnLstm: ArchitectureFamily<typeof defaults> = {
  name: 'cnn-lstm',
  title: 'convolutions over blocks of a spectrogram, then a bidirectional LSTM',
  defaults,
  about: {
    p: "share of a block's features dropped in training",
    q: "share of the recurrent layer's inputs dropped in training, the same at every block",
    units: 'states of the recurrent layer in each direction',
    blocks: 'equal parts the frames are cut into',
  },
  check: ({ p, q, units, blocks }) =>
    firstOf(belowOne('p', p), belowOne('q', q), wholeFrom(1, 'units', units), wholeFrom(1, 'blocks', blocks)),
  build(task, { p, q, units, blocks }) {
    const timed = Object.values(task.inputs).some((spec) => spec.layout.includes('T'));
    const input = arrangedInput('cnn-lstm', task, timed ? 'CTF' : 'CHW');
    const [channels, frames, bands] = input.shape as [number, number, number];
    if (frames % blocks !== 0 || frames / blocks < least || bands < least)
      throw new UserError(
        `input "${input.name}": cnn-lstm cuts ${frames} frames of ${bands} bands into ${blocks} equal blocks, each of at least ${least} frames and ${least} bands`,
        'choose `blocks` or the sizes to suit: 261 frames of 128 bands make 9 blocks',
      );
    const body = chain(
      reshape([channels, blocks, frames / blocks, bands]),
      permute([1, 0, 2, 3]),
      overTime(perBlock),
      named('dropout', dropout(p)),
      named('dropout_in', dropout(q, { shared: [0] })),
      named('lstm', lstm(units, { bidirectional: true, biases: 'input' })),
      named('head', dense(task.classes.length, { initialise: glorot })),
    );
    return {
      ...task,
      name: 'cnn-lstm',
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
