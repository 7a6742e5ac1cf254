/** @file Spiking residual networks with the stem for small pictures. */
import { firstOf, oneOf, wholeFrom } from '../../../option-checks.ts';
import type { ArchitectureFamily } from '../../architecture.ts';
import { he } from '../../initialisers.ts';
import { convolution } from '../../layers/convolution.ts';
import { averagePool, globalAverage } from '../../layers/pooling.ts';
import { overTime } from '../../layers/shape.ts';
import { type ResidualKind, residualKinds, spikingBlock } from '../../layers/spiking/residual.ts';
import { chain, type Layer, named } from '../../net.ts';
import { checkSpiking, spikingAbout, spikingDefaults, spikingParts } from './parts.ts';

const defaults = { ...spikingDefaults, width: 16, blocks: '1,1,1', residual: 'before', shrink: 1 };

const countsOf = (blocks: string): number[] => blocks.split(',').map(Number);

/**
 * A 3x3 convolution of `width` channels and neurons; stages of blocks, all but the first of which halve the picture and double the channels; the average over all
 * places; the readout. Width 64 and blocks 2,2,2,2 are the ResNet-18 of the released PDSG code.
 */
export const spikingResnet: ArchitectureFamily<typeof defaults> = {
  name: 'spiking-resnet',
  title: 'spiking residual network for one picture or event clip',
  defaults,
  about: {
    ...spikingAbout,
    width: 'channels of the first stage; 64 is ResNet-18',
    blocks: 'blocks of each stage, separated by commas; 2,2,2,2 is ResNet-18',
    residual: 'before: one layer of neurons after the addition; sew: spikes are added',
    shrink: 'the picture is averaged over so many pixels squared first',
  },
  check: ({ width, blocks, residual, shrink, ...options }) =>
    firstOf(
      wholeFrom(1, 'width', width),
      countsOf(blocks).every((n) => Number.isInteger(n) && n > 0)
        ? undefined
        : `blocks is "${blocks}", but must list whole numbers from 1, separated by commas: 1,1,1`,
      oneOf(residualKinds, 'residual', residual),
      wholeFrom(1, 'shrink', shrink),
      checkSpiking(options),
    ),
  build(task, { width, blocks, residual, shrink, ...options }) {
    const { input, encoded, fire, norm, read, trained } = spikingParts('spiking-resnet', task, options);
    const kind = residual as ResidualKind;
    const stem = chain(
      ...(shrink === 1 ? [] : [averagePool(shrink)]),
      named('conv1', convolution(width, [3, 3], { padding: 1, bias: false, initialise: he('out') })),
      named('bn1', norm()),
    );
    const stages = countsOf(blocks).flatMap((count, stage) =>
      Array.from({ length: count }, (_, i): Layer => {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const block = spikingBlock(width * 2 ** stage, { kind, stride, fire, norm });
        return named(`layer${stage + 1}.${i}`, block);
      }),
    );
    const body = chain(encoded(stem), named('lif1', fire), ...stages, overTime(globalAverage), read);
    return {
      ...task,
      name: 'spiking-resnet',
      ...trained,
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
