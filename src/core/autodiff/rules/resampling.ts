import type { Family } from '../rule.ts';

type Op = never;

export const resampling: Family<Op> = {};
