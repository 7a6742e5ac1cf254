/** @file Numbers of formats that could hold anything, as the parts of an event. */
import { UserError } from '../../../core/errors.ts';

/** Where a number stands: "\"a.csv\", line 3". */
export type Where = () => string;

/** x or y: a whole number from 0. */
export function coordinate(value: number, axis: 'x' | 'y', where: Where): number {
  if (Number.isInteger(value) && value >= 0 && value < 65536) return value;
  throw new UserError(`${where()}: ${axis} is ${value}`, 'coordinates are whole numbers from 0 to 65535');
}

/** 1 for ON; OFF may be written 0 or -1. */
export function polarityOf(value: number, where: Where): number {
  if (value === 1 || value === 0) return value;
  if (value === -1) return 0;
  throw new UserError(`${where()}: p is ${value}`, 'the polarity is 1 for ON, 0 or -1 for OFF');
}
