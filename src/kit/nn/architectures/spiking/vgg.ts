/** @file Spiking networks without shortcuts whose convolutions and pools are listed. */

import { UserError } from '../../../../core/errors.ts';
import { firstOf } from '../../../option-checks.ts';
import type { ArchitectureFamily } from '../../architecture.ts';
import { convolution } from '../../layers/convolution.ts';
import { averagePool, globalAverage } from '../../layers/pooling.ts';
import { overTime } from '../../layers/shape.ts';
import { chain, type Layer, named } from '../../net.ts';
import { checkSpiking, spikingAbout, spikingDefaults, spikingParts } from './parts.ts';

const defaults = { ...spikingDefaults, plan: '16,A,32,A,64', end: 'average' };

const ends = ['average', 'flatten'] as const;

/** Channels of a convolution, or a 2x2 average. */
const partsOf = (plan: string): (number | 'A')[] => plan.split(',').map((part) => (part.trim() === 'A' ? 'A' : Number(part)));

/** 3x3 convolutions (normalised, spiking) and 2x2 averages as planned; the average over all places or what is left of them; the readout. */
export const spikingVgg: ArchitectureFamily<typeof defaults> = {
  name: 'spiking-vgg',
  title: 'spiking network of planned convolutions for one picture or event clip',
  defaults,
  about: {
    ...spikingAbout,
    plan: 'channels of each 3x3 convolution, A for an average over 2x2; VGGSNN is 64,128,A,256,256,A,512,512,A,512,512',
    end: 'average: over all places before the readout; flatten: every place has weights of its own',
  },
  check: ({ plan, end, ...options }) =>
    firstOf(
      partsOf(plan).every((part) => part === 'A' || (Number.isInteger(part) && part > 0)) && /\d/.test(plan)
        ? undefined
        : `plan is "${plan}", but must list channels and A, separated by commas: 16,A,32`,
      ends.some((known) => known === end) ? undefined : `end is "${end}", but must be one of: ${ends.join(', ')}`,
      checkSpiking(options),
    ),
  build(task, { plan, end, ...options }) {
    const { input, encoded, fire, norm, read, trained } = spikingParts('spiking-vgg', task, options);
    let waiting: Layer[] = [];
    const layers: Layer[] = [];
    for (const part of partsOf(plan)) {
      if (part === 'A') {
        waiting.push(halved);
        continue;
      }
      const i = layers.length + 1;
      const conv = convolution(part, [3, 3], { padding: 'same', bias: options.norm === 'none' });
      const currents = chain(...waiting, named(`conv${i}`, conv), named(`bn${i}`, norm()));
      layers.push(chain(i === 1 ? encoded(currents) : overTime(currents), named(`lif${i}`, fire)));
      waiting = [];
    }
    const rest = chain(...waiting, ...(end === 'average' ? [globalAverage] : []));
    const body = chain(...layers, overTime(rest), read);
    return {
      ...task,
      name: 'spiking-vgg',
      ...trained,
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};

const halved: Layer = (net, x) => {
  const [, ...sizes] = x.shape;
  if (sizes.some((n) => n < 2))
    throw new UserError(`the plan halves sides of [${sizes}]`, 'leave out an A: every one of them halves the picture');
  return averagePool(2)(net, x);
};
