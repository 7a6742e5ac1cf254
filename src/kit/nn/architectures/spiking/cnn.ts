/** @file A convolutional spiking network: four layers of neurons, written out over their time steps. */
import { firstOf, wholeFrom } from '../../../option-checks.ts';
import type { ArchitectureFamily } from '../../architecture.ts';
import { convolution } from '../../layers/convolution.ts';
import { averagePool } from '../../layers/pooling.ts';
import { overTime } from '../../layers/shape.ts';
import { chain, type Layer, named } from '../../net.ts';
import { stageWidth } from '../blocks.ts';
import { checkSpiking, spikingAbout, spikingDefaults, spikingParts } from './parts.ts';

const defaults = { ...spikingDefaults, width: 16 };

const depth = 4;

/**
 * A clip [T, C, H, W], whose moments are the time steps, or a picture [C, H, W] under a code; bounds are mapped to -1..1, but for binary events and codes. Each
 * layer: average over 2x2 (but the first; while a side has two places), 3x3 convolution of width, 2 width, 4 width, 4 width channels, normalisation over samples
 * and time, spikes. Under the direct code the first currents are computed once and flow at every step.
 */
export const spikingCnn: ArchitectureFamily<typeof defaults> = {
  name: 'spiking-cnn',
  title: 'convolutional spiking network for one picture or event clip',
  defaults,
  about: {
    ...spikingAbout,
    width: 'channels of the first layer; the second has twice, the others four times as many',
  },
  check: (options) => firstOf(wholeFrom(1, 'width', options.width), checkSpiking(options)),
  build(task, { width, ...options }) {
    const { input, encoded, fire, norm, read, trained } = spikingParts('spiking-cnn', task, options);
    const layers = Array.from({ length: depth }, (_, i): Layer => {
      const currents: Layer = (net, x) => {
        const halved = i === 0 ? x : averagePool(x.shape.slice(1).map((n) => Math.min(n, 2)))(net, x);
        const conv = convolution(stageWidth(width, i), [3, 3], { padding: 'same', bias: options.norm === 'none' });
        return named(`bn${i + 1}`, norm())(net, named(`conv${i + 1}`, conv)(net, halved));
      };
      return chain(i === 0 ? encoded(currents) : overTime(currents), named(`lif${i + 1}`, fire));
    });
    const body = chain(...layers, read);
    return {
      ...task,
      name: 'spiking-cnn',
      ...trained,
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
