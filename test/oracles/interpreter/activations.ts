import { elementwise } from './arithmetic.ts';
import type { Kernels } from './types.ts';

export const activations: Kernels = {
  Relu: elementwise((x) => Math.max(x!, 0)),
  Tanh: elementwise(Math.tanh),
};
