import type { Family } from '../rule.ts';

type Op = never;

export const normalisation: Family<Op> = {};
