import type { Command } from 'commander';

/** Adds a command to the program; `exit` sets the exit code of a command that ended well. */
export type Register = (program: Command, exit: (code: number) => void) => void;
