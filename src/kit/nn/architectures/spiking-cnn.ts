/** @file A convolutional spiking network: four layers of leaky integrate-and-fire neurons, written out over its time steps. */
import { firstOf, oneOf, positive, wholeFrom } from '../../option-checks.ts';
import type { ArchitectureFamily } from '../architecture.ts';
import { glorot } from '../initialisers.ts';
import { batchNorm } from '../layers/batch-norm.ts';
import { convolution } from '../layers/convolution.ts';
import { dense } from '../layers/dense.ts';
import { averagePool, timeAverage } from '../layers/pooling.ts';
import { flatten, overTime } from '../layers/shape.ts';
import { arctangent, lif } from '../layers/spiking.ts';
import { chain, type Layer, type Net, named, type Signal } from '../net.ts';
import { stageWidth } from './blocks.ts';
import { arrangedInput, centred } from './input.ts';

const defaults = { width: 16, steps: 4, tau: 2, threshold: 1, reset: 'hard', alpha: 2 };

const depth = 4;

/** 3x3 convolution and batch normalisation, as currents; the picture [C, H, W] is halved before all but the first, while a side has two places. */
const currents =
  (width: number, i: number): Layer =>
  (net, x) => {
    const halved = i === 0 ? x : averagePool(x.shape.slice(1).map((n) => Math.min(n, 2)))(net, x);
    const conv = convolution(stageWidth(width, i), [3, 3], { padding: 'same', bias: false });
    return named(`bn${i + 1}`, batchNorm())(net, named(`conv${i + 1}`, conv)(net, halved));
  };

/** A still picture's currents at every step: [N, ...] to [N, steps, ...]. */
const repeated =
  (steps: number): Layer =>
  ({ g }: Net, x: Signal) => {
    const one = g.op('Unsqueeze', [x.name, g.ints([1])]);
    return { name: g.op('Expand', [one, g.ints([1, steps, ...x.shape.map(() => 1)])]), shape: [steps, ...x.shape] };
  };

/**
 * A clip [T, C, H, W], whose moments are the time steps, or a picture [C, H, W], whose first currents flow at all `steps`. Bounds are mapped to -1..1. Each
 * layer: average over 2x2 (but the first), 3x3 convolution of width, 2 width, 4 width, 4 width channels, batch normalisation over samples and time, spikes.
 * The logits are one dense layer of the last layer's firing rates.
 */
export const spikingCnn: ArchitectureFamily<typeof defaults> = {
  name: 'spiking-cnn',
  title: 'convolutional spiking network for one picture or event clip',
  defaults,
  about: {
    width: 'channels of the first layer; the second has twice, the others four times as many',
    steps: 'time steps a picture is shown; a clip brings its own',
    tau: 'a potential keeps 1 - 1 / tau of itself per step',
    threshold: 'potential at which a neuron fires',
    reset: 'hard: a spike sets the potential to 0; soft: takes the threshold away',
    alpha: 'steepness of the arctangent that stands in for the derivative of a spike',
  },
  check: ({ width, steps, tau, threshold, reset, alpha }) =>
    firstOf(
      wholeFrom(1, 'width', width),
      wholeFrom(1, 'steps', steps),
      tau >= 1 ? undefined : `tau is ${tau}, but must be at least 1`,
      positive('threshold', threshold),
      oneOf(['hard', 'soft'], 'reset', reset),
      positive('alpha', alpha),
    ),
  build(task, { width, steps, tau, threshold, reset, alpha }) {
    const clip = Object.values(task.inputs).some((spec) => spec.layout.includes('T'));
    const input = arrangedInput('spiking-cnn', task, clip ? 'TCHW' : 'CHW');
    const fire = lif({ tau, threshold, reset: reset === 'hard' ? 'hard' : 'soft', alpha });
    const layers = Array.from({ length: depth }, (_, i): Layer => {
      const flow = currents(width, i);
      const overSteps = i > 0 || clip ? overTime(flow) : (net: Net, x: Signal) => repeated(steps)(net, flow(net, x));
      return (net, x) => named(`lif${i + 1}`, fire)(net, overSteps(net, x));
    });
    const head = named('head', dense(task.classes.length, { initialise: glorot }));
    const centre = centred(input.spec);
    const body = chain(clip ? overTime(centre) : centre, ...layers, timeAverage, flatten, head);
    return {
      ...task,
      name: 'spiking-cnn',
      surrogates: [arctangent(alpha)],
      write: (net, inputs) => body(net, input.read(net, inputs)),
    };
  },
};
