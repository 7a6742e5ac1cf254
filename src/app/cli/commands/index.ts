/** @file The commands of `provoke`. A new one is a file here and a line below. */
import type { Command } from 'commander';
import { attack } from './attack.ts';
import { convert } from './convert.ts';
import { exportRun } from './export.ts';
import { gradient } from './gradient.ts';
import { init } from './init.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { predict } from './predict.ts';
import { run } from './run.ts';
import { validate } from './validate.ts';
import { view } from './view.ts';

/** Adds a command to the program; `exit` sets the exit code of a command that ended well. */
export type Register = (program: Command, exit: (code: number) => void) => void;

export const commands: readonly Register[] = [
  init,
  run,
  predict,
  attack,
  inspect,
  gradient,
  convert,
  validate,
  exportRun,
  list,
  view,
];
