import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { type Layer, named, type Signal, sequential } from '../../../src/kit/nn/net.ts';

const relu: Layer = ({ g }, x) => ({ name: g.op('Relu', [x.name]), shape: x.shape });

const stem: Layer = ({ g }, { name, shape: [channels, ...sizes] }) => ({
  name: g.op('MaxPool', [name], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  shape: [channels!, ...sizes.map((n) => Math.floor((n - 1) / 2) + 1)],
});

const mean: Layer = ({ g }, x) => ({
  name: g.op('Flatten', [g.op('GlobalAveragePool', [x.name])], { axis: 1 }),
  shape: [x.shape[0]!],
});

const block =
  (out: number, stride: number): Layer =>
  (net, x) => {
    const conv = (name: string, stride: number, y: Signal): Signal =>
      named(name, convolution(out, [3, 3], { stride, padding: 1, bias: false }))(net, y);
    const inner = relu(net, named('bn1', batchNorm())(net, conv('conv1', stride, x)));
    const y = named('bn2', batchNorm())(net, conv('conv2', 1, inner));
    const same = stride === 1 && x.shape[0] === out;
    const skip = same
      ? x
      : named('downsample', sequential(convolution(out, [1, 1], { stride, bias: false }), batchNorm()))(net, x);
    return relu(net, { name: net.g.op('Add', [y.name, skip.name]), shape: y.shape });
  };

/** ResNet-18 (He et al. 2016, arXiv 1512.03385) with batch normalisation; parameters have the names of torchvision's. */
export const resnet18 =
  (classes: number): Layer =>
  (net, x) => {
    let y = named('conv1', convolution(64, [7, 7], { stride: 2, padding: 3, bias: false }))(net, x);
    y = stem(net, relu(net, named('bn1', batchNorm())(net, y)));
    for (const [i, width] of [64, 128, 256, 512].entries())
      y = named(`layer${i + 1}`, sequential(block(width, i === 0 ? 1 : 2), block(width, 1)))(net, y);
    return named('fc', dense(classes))(net, mean(net, y));
  };
