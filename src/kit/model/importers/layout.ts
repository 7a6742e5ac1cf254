/** @file TensorFlow's channels-last conventions in ONNX's channels-first terms: filters and SAME padding. */
import { f32, type Tensor } from '../../../core/tensor/tensor.ts';

const four = (t: Tensor): [number, number, number, number] => {
  if (t.dims.length !== 4) throw new Error(`a filter has 4 axes, not [${t.dims}]`);
  return t.dims as unknown as [number, number, number, number];
};

/** Filter [height, width, in, out] to [out, in, height, width]. */
export function convFilter(filter: Tensor<'float32'>): Tensor<'float32'> {
  const [h, w, ci, co] = four(filter);
  const out = new Float32Array(filter.data.length);
  for (let at = 0, y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let i = 0; i < ci; i++) for (let o = 0; o < co; o++) out[((o * ci + i) * h + y) * w + x] = filter.data[at++]!;
  return f32(out, [co, ci, h, w]);
}

/** Depthwise filter [height, width, channels, multiplier] to [channels x multiplier, 1, height, width], for a Conv with group = channels. */
export function depthwiseFilter(filter: Tensor<'float32'>): Tensor<'float32'> {
  const [h, w, c, m] = four(filter);
  const out = new Float32Array(filter.data.length);
  for (let at = 0, y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let i = 0; i < c; i++) for (let k = 0; k < m; k++) out[((i * m + k) * h + y) * w + x] = filter.data[at++]!;
  return f32(out, [c * m, 1, h, w]);
}

/** TensorFlow's SAME padding of one axis: [before, after]; the odd one goes after. */
export function samePads(size: number, kernel: number, stride: number, dilation = 1): [number, number] {
  const span = (kernel - 1) * dilation + 1;
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + span - size, 0);
  return [total >> 1, total - (total >> 1)];
}
