import type { Kernels } from './types.ts';

export const reductions: Kernels = {};
