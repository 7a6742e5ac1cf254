/** @file A small convolutional network for small pictures: trains in minutes on two cores. */
import { belowOne, firstOf, oneOf, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { glorot } from '../initialisers.ts';
import { dense } from '../layers/dense.ts';
import { dropout } from '../layers/dropout.ts';
import { flatten } from '../layers/shape.ts';
import { chain, named } from '../net.ts';
import { type NormKind, normKinds, stage, stageCount, stageWidth } from './blocks.ts';
import { arrangedInput, centred } from './input.ts';

const defaults = { width: 16, dropout: 0.25, norm: 'batch' };

/**
 * One picture [C, H, W], its bounds mapped to -1..1, through 3x3 stages of width, 2 width, 4 width, 4 width ... channels until the shorter side has
 * fewer than 6 places (48: four stages), then one dense layer over the whole of what is left.
 */
export const smallCnn: ArchitectureFamily<typeof defaults> = {
  name: 'small-cnn',
  title: 'small convolutional network for one small picture',
  defaults,
  about: {
    width: 'channels of the first stage; the second has twice, the others four times as many',
    dropout: 'share of the last features dropped in training',
    norm: 'normalisation: batch, group, instance or none',
  },
  check: ({ width, dropout: p, norm }) =>
    firstOf(wholeFrom(1, 'width', width), belowOne('dropout', p), oneOf(normKinds, 'norm', norm)),
  build(task, { width, dropout: p, norm }) {
    const input = arrangedInput('small-cnn', task, 'CHW');
    const stages = Array.from({ length: stageCount(input.shape.slice(1), 3, 5) }, (_, i) =>
      named(`stage${i + 1}`, stage(stageWidth(width, i), 3, norm as NormKind)),
    );
    const head = named('head', dense(task.classes.length, { initialise: glorot }));
    const body = chain(centred(input.spec), ...stages, flatten, named('dropout', dropout(p)), head);
    return { ...task, name: 'small-cnn', write: (net, inputs) => body(net, input.read(net, inputs)) };
  },
};
