/** @file From spikes over time to one score per class. */
import { i64 } from '../../../../core/tensor/tensor.ts';
import { glorot } from '../../initialisers.ts';
import { type Layer, type Net, named, type Signal } from '../../net.ts';
import { dense } from '../dense.ts';
import { timeAverage } from '../pooling.ts';
import { flatten, overTime } from '../shape.ts';
import { type NeuronOptions, neuron, neuronDefaults } from './neuron.ts';

/**
 * rate: a linear layer of firing rates, which is its mean over time; last: of the last step's spikes; membrane-mean, membrane-max: mean or maximum over time
 * of the potentials of leaky integrators that never fire; count: spikes of a last layer of neurons, counted.
 */
export const readoutKinds = ['rate', 'last', 'membrane-mean', 'membrane-max', 'count'] as const;
export type ReadoutKind = (typeof readoutKinds)[number];

/** Spikes x [N, T, ...] to logits [N, classes]; the linear layer has the scope `head`, the neurons of `count` have `cells`. */
export const readout =
  (kind: ReadoutKind, classes: number, cells: NeuronOptions): Layer =>
  (net, x) => {
    const head = named('head', dense(classes, { initialise: glorot }));
    if (kind === 'rate') return head(net, flatten(net, timeAverage(net, x)));
    if (kind === 'last') return head(net, flatten(net, lastStep(net, x)));
    const scores = overTime((inside, one) => head(inside, flatten(inside, one)))(net, x);
    if (kind === 'count') return summed(net, named('cells', neuron(cells))(net, scores));
    const potentials = integrator(cells.tau ?? neuronDefaults.tau)(net, scores);
    return kind === 'membrane-mean' ? timeAverage(net, potentials) : highest(net, potentials);
  };

/** Potentials of neurons that never fire: v <- (1 - 1 / tau) v + x, 0 at first; x [N, T, ...] to [N, T, ...]. */
export const integrator =
  (tau: number): Layer =>
  ({ g }, x) => {
    const [moments] = x.shape as [number, ...number[]];
    if (moments === 1) return x;
    const potentials: string[] = [];
    for (const current of g.ops('Split', [x.name], moments, { axis: 1, num_outputs: moments })) {
      const before = potentials.at(-1);
      potentials.push(before === undefined ? current : g.op('Add', [g.op('Mul', [before, g.number(1 - 1 / tau)]), current]));
    }
    return { name: g.op('Concat', potentials, { axis: 1 }), shape: x.shape };
  };

const lastStep = ({ g }: Net, x: Signal): Signal => ({
  name: g.op('Gather', [x.name, g.constant(i64([x.shape[0]! - 1], []))], { axis: 1 }),
  shape: x.shape.slice(1),
});

const summed = ({ g }: Net, x: Signal): Signal => ({
  name: g.op('ReduceSum', [x.name, g.ints([1])], { keepdims: 0 }),
  shape: x.shape.slice(1),
});

const highest = ({ g }: Net, x: Signal): Signal => ({
  name: g.op('ReduceMax', [x.name, g.ints([1])], { keepdims: 0 }),
  shape: x.shape.slice(1),
});
