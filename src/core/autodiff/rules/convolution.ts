import type { Family } from '../rule.ts';

type Op = never;

export const convolution: Family<Op> = {};
