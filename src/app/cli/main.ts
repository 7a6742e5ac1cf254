/** @file The program `provoke`. */
import { outside } from './guard.ts';
import { runProgram } from './program.ts';

const argv = process.argv.slice(2);
process.exitCode = await runProgram(argv, outside(argv));
