import type { Family } from '../rule.ts';

type Op = never;

export const layout: Family<Op> = {};
