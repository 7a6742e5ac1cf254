import type { Command } from 'commander';
import type { Guard } from './guard.ts';

/** Adds a command to the program; `exit` sets the exit code of a command that ended well; `guard` is for those that run a user's model. */
export type Register = (program: Command, exit: (code: number) => void, guard: Guard) => void;
