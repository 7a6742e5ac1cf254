/** @file ResNet-18 (He et al. 2016, arXiv 1512.03385), with the parameters torchvision's has, under the same names and in the same order. */
import { firstOf, oneOf, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { fanInUniform, he, uniform } from '../initialisers.ts';
import { relu } from '../layers/activations.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { convolution } from '../layers/convolution.ts';
import { dense } from '../layers/dense.ts';
import { globalAverage, maxPool } from '../layers/pooling.ts';
import { basicBlock } from '../layers/residual.ts';
import { chain, type Layer, named, sequential } from '../net.ts';
import { arrangedInput } from './input.ts';

const defaults = { width: 64, stem: 'imagenet' };

const stems = ['imagenet', 'cifar'] as const;

/** Four stages of two blocks; all but the first halve the picture and double the channels. */
const stages = (width: number): Layer[] =>
  [1, 2, 4, 8].map((factor, i) =>
    named(`layer${i + 1}`, sequential(basicBlock(factor * width, { stride: i === 0 ? 1 : 2 }), basicBlock(factor * width))),
  );

/** One picture [C, H, W] as it is: 7x7 convolution of stride 2 and 3x3 maximum of stride 2 ('imagenet'), or a 3x3 convolution ('cifar'), then the stages. */
export const resnet18: ArchitectureFamily<typeof defaults> = {
  name: 'resnet18',
  title: 'ResNet-18 for one picture',
  defaults,
  about: {
    width: 'channels of the first stage; 64 is the paper, fewer are faster',
    stem: 'imagenet: the picture is made four times smaller first; cifar: not, for pictures of 32 pixels or so',
  },
  check: ({ width, stem }) => firstOf(wholeFrom(1, 'width', width), oneOf(stems, 'stem', stem)),
  build(task, { width, stem }) {
    const input = arrangedInput('resnet18', task, 'CHW');
    const large = stem === 'imagenet';
    const options = { stride: large ? 2 : 1, padding: large ? 3 : 1, bias: false, initialise: he('out') };
    const first = named('conv1', convolution(width, large ? [7, 7] : [3, 3], options));
    const shrink = large ? [maxPool(3, { stride: 2, padding: 1 })] : [];
    const initialiseBias = uniform(1 / Math.sqrt(8 * width));
    const head = named('fc', dense(task.classes.length, { initialise: fanInUniform, initialiseBias }));
    const body = chain(first, named('bn1', batchNorm()), relu, ...shrink, ...stages(width), globalAverage, head);
    return {
      ...task,
      name: 'resnet18',
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
