import type { Kernels } from './types.ts';

export const normalisation: Kernels = {};
