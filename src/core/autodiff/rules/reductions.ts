import type { Family } from '../rule.ts';

type Op = never;

export const reductions: Family<Op> = {};
