import type { Kernels } from './types.ts';

export const softmax: Kernels = {};
