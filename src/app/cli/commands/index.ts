/** @file The commands of `provoke`. A new one is a file here and a line below. */

import type { Register } from '../register.ts';
import { attack } from './attack.ts';
import { compare } from './compare.ts';
import { convert } from './convert.ts';
import { exportRun } from './export.ts';
import { gradient } from './gradient.ts';
import { init } from './init.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { predict } from './predict.ts';
import { run } from './run.ts';
import { synth } from './synth.ts';
import { train } from './train.ts';
import { validate } from './validate.ts';
import { view } from './view.ts';

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
  compare,
  synth,
  train,
  list,
  view,
];
