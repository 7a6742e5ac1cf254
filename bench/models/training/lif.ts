import type { Surrogate } from '../../../src/core/autodiff/substitutes.ts';
import { normal } from '../../../src/kit/nn/initialisers.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { type Layer, named, type Signal, sequential } from '../../../src/kit/nn/net.ts';

/** Time steps, and channels with the stride of each of the four convolutions. */
export const lifShape = { steps: 4, side: 32, polarities: 2, alpha: 2, threshold: 1 } as const;

/** Deviation sqrt(32 / fan in): about a fifth of the neurons of every layer fire in a step. */
const lively = (fanIn: number) => normal(Math.sqrt(32 / fanIn));

/**
 * Leaky integrate-and-fire with time constant 2 over the steps, which lie one after the other along the batch: v <- v + (x - v) / 2, a spike where
 * v >= 1, and v back to 0 there.
 */
const fire: Layer = ({ g }, x) => {
  const { steps, threshold } = lifShape;
  const currents = g.ops('Split', [x.name], steps, { axis: 0, num_outputs: steps });
  let v: string | undefined;
  const spikes = currents.map((current) => {
    const u = g.op('Mul', [v === undefined ? current : g.op('Add', [v, current]), g.number(0.5)]);
    const spike = g.op('Cast', [g.op('GreaterOrEqual', [u, g.number(threshold)])], { to: 1 });
    v = g.op('Mul', [u, g.op('Sub', [g.number(1), spike])]);
    return spike;
  });
  return { name: g.op('Concat', spikes, { axis: 0 }), shape: x.shape };
};

const convolutions = [
  { from: 2, out: 32, stride: 1 },
  { from: 32, out: 64, stride: 2 },
  { from: 64, out: 128, stride: 2 },
  { from: 128, out: 128, stride: 1 },
] as const;

/** Four convolutions with a LIF neuron behind each, and a readout of the mean over places and steps: event frames [T, 2, 32, 32] to logits. */
export const lif =
  (classes: number): Layer =>
  (net, frames) => {
    const { g } = net;
    const { steps } = lifShape;
    const shape = frames.shape.slice(1);
    const first = g.op('Transpose', [frames.name], { perm: [1, 0, 2, 3, 4] });
    const x: Signal = { name: g.op('Reshape', [first, g.ints([-1, ...shape])]), shape };
    const body = convolutions.map(({ from, out, stride }) =>
      sequential(convolution(out, [3, 3], { stride, padding: 1, bias: false, initialise: lively(9 * from) }), fire),
    );
    const spikes = sequential(...body)(net, x);
    const rates = g.op(
      'ReduceMean',
      [
        g.op('Reshape', [spikes.name, g.ints([steps, -1, spikes.shape[0]!, spikes.shape[1]! * spikes.shape[2]!])]),
        g.ints([0, 3]),
      ],
      { keepdims: 0 },
    );
    return named('head', dense(classes))(net, { name: rates, shape: [spikes.shape[0]!] });
  };

/** The derivative of arctan(pi / 2 alpha u) / pi + 1/2 in place of the step's: alpha / 2 / (1 + (pi / 2 alpha u)^2), u = v - threshold. */
export const arctangent: Surrogate = {
  match: { op: 'GreaterOrEqual' },
  label: `arctangent, alpha ${lifShape.alpha}`,
  rule([dy], node, { g }) {
    const { alpha } = lifShape;
    const u = g.op('Sub', [node.inputs[0]!, node.inputs[1]!]);
    const z = g.op('Mul', [u, g.number((Math.PI / 2) * alpha)]);
    const slope = g.op('Div', [g.number(alpha / 2), g.op('Add', [g.number(1), g.op('Mul', [z, z])])]);
    return [g.op('Mul', [dy!, slope])];
  },
};
