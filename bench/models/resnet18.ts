import { graphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph } from '../../src/core/onnx/graph.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32 } from '../../src/core/tensor/tensor.ts';

/**
 * ResNet-18 (He et al. 2016, arXiv 1512.03385) with random weights, as an exporter would write it: Conv, BatchNormalization, Relu, MaxPool,
 * GlobalAveragePool, Gemm. Input [N, 3, side, side] in 0..1, output logits [N, 1000].
 */
export function resnet18(side: number, seed = 0): Graph {
  const g = graphBuilder({ name: 'resnet18', opset: 18 });
  const random = stream(seed, 'resnet18');
  const normal = (dims: readonly number[], sd: number) =>
    f32(
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => sd * random.normal()),
      dims,
    );
  const filled = (n: number, value: number) => g.constant(f32(new Float32Array(n).fill(value)));
  const conv = (x: string, from: number, to: number, k: number, stride: number): string => {
    const pad = k >> 1;
    const weight = g.constant(normal([to, from, k, k], Math.sqrt(2 / (from * k * k))));
    const y = g.op('Conv', [x, weight], { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] });
    return g.op('BatchNormalization', [y, filled(to, 1), filled(to, 0), filled(to, 0), filled(to, 1)]);
  };
  const block = (x: string, from: number, to: number, stride: number): string => {
    const y = conv(g.op('Relu', [conv(x, from, to, 3, stride)]), to, to, 3, 1);
    const skip = stride === 1 && from === to ? x : conv(x, from, to, 1, stride);
    return g.op('Relu', [g.op('Add', [y, skip])]);
  };
  let x = g.input('image', ['N', 3, side, side]);
  x = g.op('MaxPool', [g.op('Relu', [conv(x, 3, 64, 7, 2)])], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  for (const [from, to, stride] of [
    [64, 64, 1],
    [64, 64, 1],
    [64, 128, 2],
    [128, 128, 1],
    [128, 256, 2],
    [256, 256, 1],
    [256, 512, 2],
    [512, 512, 1],
  ] as const) {
    x = block(x, from, to, stride);
  }
  x = g.op('Flatten', [g.op('GlobalAveragePool', [x])], { axis: 1 });
  g.op('Gemm', [x, g.constant(normal([1000, 512], Math.sqrt(1 / 512))), filled(1000, 0)], { transB: 1 }, 'logits');
  g.output('logits', ['N', 1000]);
  return g.build();
}
