import { float } from '../../onnx/builder.ts';
import { type Family, unary } from '../rule.ts';

type Op = 'Relu' | 'Tanh';

export const activations: Family<Op> = {
  // y = max(x, 0): dx = dy [y > 0]; a steep HardSigmoid is the cheapest exact mask (specs: engine 4)
  Relu: unary((dy, _x, y, { g }) => g.op('Mul', [dy, g.op('HardSigmoid', [y], { alpha: float(1e30), beta: float(0) })])),
  // y = tanh x: dx = dy (1 - y^2)
  Tanh: unary((dy, _x, y, { g, number, dtype }) => g.op('Mul', [dy, g.op('Sub', [number(1, dtype(y)), g.op('Mul', [y, y])])])),
};
