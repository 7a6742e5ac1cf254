import { intOf } from '../../../src/core/onnx/graph.ts';
import { reduce } from './reductions.ts';
import { axisOf, broadcastAt, type F64, filledBy, type Kernels, offsetOf } from './types.ts';

/** x - log sum e^x along an axis. */
export function logSoftmax(x: F64, axis: number): F64 {
  const axes = [axisOf(axis, x.dims.length)];
  const top = reduce(x, axes, (xs) => Math.max(...xs));
  const log = reduce(x, axes, (xs) => Math.log(xs.reduce((a, b) => a + Math.exp(b - Math.max(...xs)), 0)));
  return filledBy(x.dims, (index) => x.data[offsetOf(x.dims, index)]! - broadcastAt(top, index) - broadcastAt(log, index));
}

export const softmax: Kernels = {
  LogSoftmax: ([x], node) => [logSoftmax(x!, intOf(node, 'axis', -1))],
  Softmax: ([x], node) => {
    const { dims, data } = logSoftmax(x!, intOf(node, 'axis', -1));
    return [{ dims, data: data.map(Math.exp) }];
  },
};
