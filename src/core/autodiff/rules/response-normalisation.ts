/**
 * @file LRN: y = x s^-beta, s = bias + alpha mean of x^2 over a window of channels (zeros outside counted), hence
 * dx = dy s^-beta - 2 alpha beta x (mean of dy y / s over the mirrored window).
 */
import { floatOf, intOf } from '../../onnx/graph.ts';
import { f32 } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Rule, Scene } from '../rule.ts';
import { once } from './constants.ts';

/** Most channels for which a window sum is a product with a banded matrix: fewer operations than it looks, since the convolution kernel is 40 times faster a piece. */
const widest = 1024;

interface Window {
  readonly before: number;
  readonly after: number;
}

/** factor x mean over the window of channels, plus `bias`. */
type WindowMean = (value: string, window: Window, factor: number, bias?: number) => string;

export const responseNormalization: Rule = ([dy], node, scene) => {
  if (dy === undefined) return [];
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const m = algebra(scene, x);
  const [size, alpha, beta] = [intOf(node, 'size', 1), floatOf(node, 'alpha', 1e-4), floatOf(node, 'beta', 0.75)];
  const window = { before: Math.floor((size - 1) / 2), after: Math.ceil((size - 1) / 2) };
  const channels = scene.dims(x)[1]!;
  const banded = scene.provider === 'cpu' && m.dtype === 'float32' && scene.dims(x).length === 4 && channels <= widest;
  const mean = banded ? byConvolution(scene, channels) : byPooling(scene, m, x, channels);
  const s = mean(m.square(x), window, alpha, floatOf(node, 'bias', 1));
  const indirect = mean(m.div(m.mul(dy, y), s), { before: window.after, after: window.before }, 2 * alpha * beta);
  return [m.sub(overPower(m, dy, s, beta), m.mul(x, indirect))];
};

/** dy s^-beta; the usual beta = 3/4 by square roots, which cost a tenth of a power. */
function overPower(m: Algebra, dy: string, s: string, beta: number): string {
  if (Math.abs(beta - 0.75) > 1e-7) return m.mul(dy, m.pow(s, -beta));
  const root = m.sqrt(s);
  return m.div(dy, m.mul(root, m.sqrt(root)));
}

/** A 1 x 1 convolution whose weights are a band: 0.5 against 3.9 ms for 192 channels of 55 x 55, and it stays in the convolution's layout. */
function byConvolution({ g }: Scene, channels: number): WindowMean {
  return (value, { before, after }, factor, bias) => {
    const key = `band ${[channels, before, after, factor].join()}`;
    const weights = once(g, key, () => {
      const band = new Float32Array(channels * channels);
      for (let to = 0; to < channels; to++)
        for (let from = Math.max(0, to - before); from <= Math.min(channels - 1, to + after); from++)
          band[to * channels + from] = factor / (before + after + 1);
      return g.constant(f32(band, [channels, channels, 1, 1]));
    });
    const offset = bias === undefined ? [] : [g.constant(f32(new Float32Array(channels).fill(bias), [channels]))];
    return g.op('Conv', [value, weights, ...offset], { kernel_shape: [1, 1] });
  };
}

/** An average over the channels laid out as an axis of an image. */
function byPooling(scene: Scene, m: Algebra, x: string, channels: number): WindowMean {
  const { g } = scene;
  return (value, { before, after }, factor, bias) => {
    const plane = g.op('Reshape', [value, g.ints([0, 1, channels, -1])]);
    const pads = [before, 0, after, 0];
    const pooled = g.op('AveragePool', [plane], { kernel_shape: [before + after + 1, 1], pads, count_include_pad: 1 });
    const scaled = m.mul(factor, scene.reshapeLike(pooled, x));
    return bias === undefined ? scaled : m.add(bias, scaled);
  };
}
