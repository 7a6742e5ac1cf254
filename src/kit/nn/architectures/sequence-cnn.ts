/** @file A small convolutional network over time, for sequences of features: [C, T]. */
import { belowOne, firstOf, oneOf, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { glorot } from '../initialisers.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { globalAverage } from '../layers/pooling.ts';
import { chain, named } from '../net.ts';
import { type NormKind, normKinds, stage, stageCount, stageWidth } from './blocks.ts';
import { arrangedInput } from './input.ts';

const defaults = { width: 32, kernel: 5, dropout: 0.1, norm: 'batch' };

/**
 * One sequence [C, T] through stages of width, 2 width, 4 width, 4 width channels, each halving the time as long as at least 4 moments are left, then the
 * mean over time and one dense layer.
 */
export const sequenceCnn: ArchitectureFamily<typeof defaults> = {
  name: 'sequence-cnn',
  title: 'small convolutional network over the time of one sequence',
  defaults,
  about: {
    width: 'channels of the first stage; the second has twice, the others four times as many',
    kernel: 'moments one convolution looks at',
    dropout: 'share of the last features dropped in training',
    norm: 'normalisation: batch, group, instance or none',
  },
  check: ({ width, kernel, dropout: p, norm }) =>
    firstOf(wholeFrom(1, 'width', width), wholeFrom(1, 'kernel', kernel), belowOne('dropout', p), oneOf(normKinds, 'norm', norm)),
  build(task, { width, kernel, dropout: p, norm }) {
    const input = arrangedInput('sequence-cnn', task, 'CT');
    const stages = Array.from({ length: stageCount(input.shape.slice(1), 4, 4) }, (_, i) =>
      named(`stage${i + 1}`, stage(stageWidth(width, i), kernel, norm as NormKind)),
    );
    const head = named('head', dense(task.classes.length, { initialise: glorot }));
    const body = chain(...stages, globalAverage, named('dropout', dropout(p)), head);
    return { ...task, name: 'sequence-cnn', write: (net, inputs) => body(net, input.read(net, inputs)) };
  },
};
