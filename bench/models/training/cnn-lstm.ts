import { filled, uniform } from '../../../src/kit/nn/initialisers.ts';
import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { type Layer, type Net, named, type Signal } from '../../../src/kit/nn/net.ts';
import { shape } from '../cnn-lstm.ts';

const { frames, blocks, bands, hidden } = shape;

/** Shares of dropped elements: of the LSTM's inputs one by one, and of whole features over all blocks. */
export const dropped = { element: 0.3, feature: 0.2 } as const;

/** The CNN-LSTM for speech emotions in training (models/cnn-lstm.ts has it for inference): features [261, 128, 1] to logits. */
export const cnnLstm =
  (classes: number): Layer =>
  (net, features) => {
    const { g } = net;
    let x: Signal = {
      name: g.op('Reshape', [features.name, g.ints([-1, 1, frames / blocks, bands])]),
      shape: [1, frames / blocks, bands],
    };
    x = named('bn1', batchNorm({ eps: 1e-3, momentum: 0.01 }))(net, convolved(net, 'conv1', x, 16, 5));
    x = convolved(net, 'conv2', pooled(net, x, 4, 2), 32, 3);
    x = convolved(net, 'conv3', pooled(net, x, 2, 2), 64, 3);
    x = pooled(net, x, 2, 1);
    const width = x.shape.reduce((a, b) => a * b, 1);
    let y = g.op('Reshape', [g.op('Transpose', [x.name], { perm: [0, 2, 3, 1] }), g.ints([-1, blocks, width])]);
    y = dropout(net, dropout(net, y, [blocks, width], dropped.element), [1, width], dropped.feature);
    const bound = uniform(1 / Math.sqrt(hidden));
    const [, last] = g.ops(
      'LSTM',
      [
        g.op('Transpose', [y], { perm: [1, 0, 2] }),
        net.parameter('lstm.input', [2, 4 * hidden, width], bound),
        net.parameter('lstm.recurrent', [2, 4 * hidden, hidden], bound),
        net.parameter('lstm.bias', [2, 8 * hidden], filled(0)),
      ],
      ['', g.fresh('last')],
      { hidden_size: hidden, direction: 'bidirectional' },
    );
    const z = g.op('Reshape', [g.op('Transpose', [last!], { perm: [1, 0, 2] }), g.ints([-1, 2 * hidden])]);
    return named('head', dense(classes))(net, { name: z, shape: [2 * hidden] });
  };

function convolved(net: Net, name: string, x: Signal, out: number, kernel: number): Signal {
  const y = named(name, convolution(out, [kernel, kernel]))(net, x);
  return { name: net.g.op('Relu', [y.name]), shape: y.shape };
}

function pooled({ g }: Net, { name, shape: [channels, ...sizes] }: Signal, kernel: number, stride: number): Signal {
  return {
    name: g.op('MaxPool', [name], { kernel_shape: [kernel, kernel], strides: [stride, stride] }),
    shape: [channels!, ...sizes.map((n) => Math.floor((n - kernel) / stride) + 1)],
  };
}

function dropout(net: Net, x: string, mask: readonly number[], share: number): string {
  const { g } = net;
  const kept = g.op('GreaterOrEqual', [net.noise(mask, 'uniform'), g.number(share)]);
  return g.op('Mul', [x, g.op('Where', [kept, g.number(1 / (1 - share)), g.number(0)])]);
}
