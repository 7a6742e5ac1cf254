import { intOf } from '../../onnx/graph.ts';
import { formula } from '../algebra.ts';
import type { Family } from '../rule.ts';

type Op = 'Softmax' | 'LogSoftmax' | 'Hardmax';

export const softmax: Family<Op> = {
  // y = e^x / sum e^x along the axis: dx = y (dy - sum dy y)
  Softmax: formula((m, dy, _x, y, node) => m.mul(y, m.sub(dy, m.sum(m.mul(dy, y), [intOf(node, 'axis', -1)])))),
  // y = x - log sum e^x along the axis: dx = dy - e^y sum dy
  LogSoftmax: formula((m, dy, _x, y, node) => m.sub(dy, m.mul(m.exp(y), m.sum(dy, [intOf(node, 'axis', -1)])))),
  Hardmax: 'cuts',
};
