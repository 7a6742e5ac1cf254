import { float, graphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph } from '../../src/core/onnx/graph.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../src/core/tensor/tensor.ts';

/** Frames of a clip, the blocks they are cut into, mel bands, hidden size of the LSTM, emotions. */
export const shape = { frames: 261, blocks: 9, bands: 128, hidden: 256, classes: 5 } as const;

/**
 * The CNN-LSTM for speech emotions (three convolutions on each of nine blocks of frames, then a bidirectional LSTM over the blocks) with random
 * weights, as an exporter would write it. Input [N, 261, 128, 1] (decibels, standardised), output logits [N, 5].
 */
export function cnnLstm(seed = 0): Graph {
  const { frames, blocks, bands, hidden, classes } = shape;
  const g = graphBuilder({ name: 'cnn-lstm', opset: 18 });
  const random = stream(seed, 'cnn-lstm');
  const normal = (dims: readonly number[], sd: number) =>
    g.constant(
      f32(
        Float32Array.from({ length: sizeOf(dims) }, () => sd * random.normal()),
        dims,
      ),
    );
  const filled = (n: number, value: number) => g.constant(f32(new Float32Array(n).fill(value)));
  const conv = (x: string, from: number, to: number, k: number): string => {
    const weight = normal([to, from, k, k], Math.sqrt(2 / (from * k * k)));
    return g.op('Relu', [g.op('Conv', [x, weight, filled(to, 0)], { kernel_shape: [k, k] })]);
  };
  const pool = (x: string, size: number, stride: number): string =>
    g.op('MaxPool', [x], { kernel_shape: [size, size], strides: [stride, stride] });

  const input = g.input('features', ['N', frames, bands, 1]);
  let x = conv(g.op('Reshape', [input, g.ints([-1, 1, frames / blocks, bands])]), 1, 16, 5);
  const statistics = [filled(16, 1), filled(16, 0), filled(16, 0), filled(16, 1)];
  x = pool(g.op('BatchNormalization', [x, ...statistics], { epsilon: float(1e-3) }), 4, 2);
  x = pool(conv(x, 16, 32, 3), 2, 2);
  x = pool(conv(x, 32, 64, 3), 2, 1);
  const features = 64 * 26;
  x = g.op('Reshape', [g.op('Transpose', [x], { perm: [0, 2, 3, 1] }), g.ints([-1, blocks, features])]);
  x = g.op('Transpose', [x], { perm: [1, 0, 2] });
  const weights = [
    normal([2, 4 * hidden, features], Math.sqrt(1 / features)),
    normal([2, 4 * hidden, hidden], Math.sqrt(1 / hidden)),
    g.constant(f32(new Float32Array(2 * 8 * hidden), [2, 8 * hidden])),
  ];
  const [, last] = g.ops('LSTM', [x, ...weights], ['', 'last'], { hidden_size: hidden, direction: 'bidirectional' });
  x = g.op('Reshape', [g.op('Transpose', [last!], { perm: [1, 0, 2] }), g.ints([-1, 2 * hidden])]);
  g.op('Gemm', [x, normal([classes, 2 * hidden], Math.sqrt(1 / hidden)), filled(classes, 0)], { transB: 1 }, 'logits');
  g.output('logits', ['N', classes]);
  return g.build();
}
