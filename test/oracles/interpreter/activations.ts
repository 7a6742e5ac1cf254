import { floatOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { elementwise, erf } from './arithmetic.ts';
import type { Kernel, Kernels } from './types.ts';

/** An activation with attributes: `f` gives the function of one number. */
const parametric =
  (f: (node: Node) => (x: number) => number): Kernel =>
  (inputs, node, run) =>
    elementwise(f(node) as (...xs: number[]) => number)(inputs, node, run);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamp = (x: number): number => Math.min(Math.max(x, 0), 1);

export const activations: Kernels = {
  Relu: elementwise((x) => Math.max(x!, 0)),
  LeakyRelu: parametric((node) => (x) => (x > 0 ? x : floatOf(node, 'alpha', 0.01) * x)),
  PRelu: elementwise((x, slope) => (x! > 0 ? x! : slope! * x!)),
  ThresholdedRelu: parametric((node) => (x) => (x > floatOf(node, 'alpha', 1) ? x : 0)),
  Shrink: parametric((node) => {
    const [lambda, bias] = [floatOf(node, 'lambd', 0.5), floatOf(node, 'bias', 0)];
    return (x) => (x > lambda ? x - bias : x < -lambda ? x + bias : 0);
  }),
  Elu: parametric((node) => (x) => (x > 0 ? x : floatOf(node, 'alpha', 1) * Math.expm1(x))),
  Selu: parametric((node) => {
    const [alpha, gamma] = [floatOf(node, 'alpha', 1.6732632423543772), floatOf(node, 'gamma', 1.0507009873554805)];
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  Celu: parametric((node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => Math.max(x, 0) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  Sigmoid: elementwise(sigmoid as (...xs: number[]) => number),
  HardSigmoid: parametric((node) => (x) => clamp(floatOf(node, 'alpha', 0.2) * x + floatOf(node, 'beta', 0.5))),
  HardSwish: elementwise((x) => x! * clamp(x! / 6 + 0.5)),
  Swish: parametric((node) => (x) => x * sigmoid(floatOf(node, 'alpha', 1) * x)),
  Tanh: elementwise(Math.tanh),
  Softplus: elementwise(softplus as (...xs: number[]) => number),
  Softsign: elementwise((x) => x! / (1 + Math.abs(x!))),
  Mish: elementwise((x) => x! * Math.tanh(softplus(x!))),
  Gelu: parametric((node) =>
    stringOf(node, 'approximate', 'none') === 'tanh'
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  ),
};
