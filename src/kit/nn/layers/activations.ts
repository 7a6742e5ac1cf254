/** @file Activations: one function of every element. None has parameters, so none has a scope. */
import { float } from '../../../core/onnx/builder.ts';
import type { Layer, Net } from '../net.ts';

/** A layer that keeps the sizes and looks at every element alone. */
const elementwise =
  (write: (g: Net['g'], x: string) => string): Layer =>
  ({ g }, x) => ({ name: write(g, x.name), shape: x.shape });

/** max(x, 0). */
export const relu: Layer = elementwise((g, x) => g.op('Relu', [x]));

/** x where it is positive, `slope` x elsewhere. */
export const leakyRelu = (slope = 0.01): Layer => elementwise((g, x) => g.op('LeakyRelu', [x], { alpha: float(slope) }));

/** x Phi(x) with the normal distribution Phi, exactly (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
export const gelu: Layer = elementwise((g, x) => {
  const error = g.op('Erf', [g.op('Mul', [x, g.number(Math.SQRT1_2)])]);
  return g.op('Mul', [x, g.op('Mul', [g.op('Add', [error, g.number(1)]), g.number(0.5)])]);
});

export const tanh: Layer = elementwise((g, x) => g.op('Tanh', [x]));

/** 1 / (1 + e^-x). */
export const sigmoid: Layer = elementwise((g, x) => g.op('Sigmoid', [x]));

/** x sigmoid(x), also called swish. */
export const silu: Layer = elementwise((g, x) => g.op('Mul', [x, g.op('Sigmoid', [x])]));

/** log(1 + e^x). */
export const softplus: Layer = elementwise((g, x) => g.op('Softplus', [x]));
