/** @file Control flow whose course the data decides. What is fixed beforehand has been written out (passes/control-flow/unroll.ts). */
import type { Family } from '../../rule.ts';
import { branches } from './branches.ts';
import { loop } from './loop.ts';
import { scan } from './scan.ts';

export const controlFlow: Family<'If' | 'Loop' | 'Scan'> = { If: { flow: branches }, Loop: { flow: loop }, Scan: { flow: scan } };
