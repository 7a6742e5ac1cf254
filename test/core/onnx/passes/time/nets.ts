/** @file Small spiking nets in the forms exporters write: time folded into the batch, a copy of the layers per step, time first, recurrent. */
import { type GraphBuilder, graphBuilder } from '../../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../../src/core/onnx/graph.ts';
import { stream } from '../../../../../src/core/tensor/random.ts';
import { f32, sizeOf, type Tensor } from '../../../../../src/core/tensor/tensor.ts';

export interface SpikingNet {
  readonly form: 'folded' | 'unrolled' | 'time first' | 'recurrent';
  readonly steps: number;
  readonly width: number;
  readonly reset: 'hard' | 'soft';
}

/** Sizes of one sample: two channels of 6 x 6. */
export const frame = [2, 6, 6] as const;

export const layoutOf = ({ form }: SpikingNet): string => (form === 'time first' ? 'TNCHW' : 'NTCHW');

const weights = (name: string, dims: readonly number[], scale: number): Tensor<'float32'> => {
  const random = stream('time', name);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => scale * random.normal()),
    dims,
  );
};

/** v <- 0.8 v + current; fires at 1: the spike, and what is left of the potential. */
function neuron(
  g: GraphBuilder,
  current: string,
  rest: string | undefined,
  reset: SpikingNet['reset'],
): { spike: string; rest: string } {
  const v = rest === undefined ? current : g.op('Add', [g.op('Mul', [rest, g.number(0.8)]), current]);
  const spike = g.op('Cast', [g.op('Greater', [v, g.number(1)])], { to: 1 });
  const left = reset === 'soft' ? g.op('Sub', [v, spike]) : g.op('Mul', [v, g.op('Sub', [g.number(1), spike])]);
  return { spike, rest: left };
}

/** Input x [N, T, 2, 6, 6] (or T first), logits [N, 3]: convolution, neurons, mean over 2x2, convolution, neurons, a dense layer of the firing rates. */
export function spikingNet(net: SpikingNet): Graph {
  const { form, steps, width, reset } = net;
  const g = graphBuilder();
  const x = g.input('x', form === 'time first' ? [steps, 'N', ...frame] : ['N', steps, ...frame]);
  const kernel1 = g.constant(weights('kernel1', [width, 2, 3, 3], 0.8));
  const kernel2 = g.constant(weights('kernel2', [2 * width, width, 3, 3], 0.5));
  const head = g.constant(weights('head', [2 * width * 9, 3], 0.3));
  const bias = g.constant(weights('bias', [3], 1));
  const conv1 = (of: string): string => g.op('Conv', [of, kernel1], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const conv2 = (of: string): string => {
    const pooled = g.op('AveragePool', [of], { kernel_shape: [2, 2], strides: [2, 2] });
    return g.op('Conv', [pooled, kernel2], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  };
  const classes = (rates: string): void => {
    g.op('Gemm', [g.op('Flatten', [rates], { axis: 1 }), head, bias], {}, 'logits');
    g.output('logits', ['N', 3]);
  };
  if (form === 'unrolled' || form === 'recurrent') {
    const back = g.constant(weights('back', [width, width, 1, 1], 0.4));
    let [rest1, rest2, fired]: (string | undefined)[] = [];
    let sum: string | undefined;
    for (let t = 0; t < steps; t++) {
      const now = g.op('Gather', [x, g.constant({ dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(t)) })], { axis: 1 });
      const current = conv1(now);
      const joined =
        form === 'unrolled' || fired === undefined
          ? current
          : g.op('Add', [g.op('Conv', [fired, back], { kernel_shape: [1, 1] }), current]);
      const first = neuron(g, joined, rest1, reset);
      const second = neuron(g, conv2(first.spike), rest2, reset);
      [rest1, rest2, fired] = [first.rest, second.rest, first.spike];
      sum = sum === undefined ? second.spike : g.op('Add', [sum, second.spike]);
    }
    classes(g.op('Mul', [sum!, g.number(1 / steps)]));
    return g.build();
  }
  const axis = form === 'folded' ? 1 : 0;
  const unfolded = (dims: readonly number[]): string => g.ints(axis === 1 ? [-1, steps, ...dims] : [steps, -1, ...dims]);
  const layer = (currents: string, dims: readonly number[]): string => {
    const apart = g.op('Mul', [g.op('Reshape', [currents, unfolded(dims)]), g.number(0.7)]);
    const parts = g.ops('Split', [apart], steps, { axis, num_outputs: steps });
    let rest: string | undefined;
    const spikes = parts.map((part) => {
      const made = neuron(g, part, rest, reset);
      rest = made.rest;
      return made.spike;
    });
    return g.op('Concat', spikes, { axis });
  };
  const first = layer(conv1(g.op('Reshape', [x, g.ints([-1, ...frame])])), [width, 6, 6]);
  const second = layer(conv2(g.op('Reshape', [first, g.ints([-1, width, 6, 6])])), [2 * width, 3, 3]);
  classes(g.op('ReduceMean', [second, g.ints([axis])], { keepdims: 0 }));
  return g.build();
}

/** A clip of events. */
export const clip = (key: string, steps: number, density = 0.3): Float32Array => {
  const random = stream('clip', key);
  return Float32Array.from({ length: steps * sizeOf(frame) }, () => (random.uniform() < density ? 1 : 0));
};
