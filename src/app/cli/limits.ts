/** @file The two options of every command that runs a user's model. */
import type { Command } from 'commander';
import { type LimitOptions, parseMemory, parseSeconds } from '../host/limits.ts';

export interface LimitFlags {
  timeLimit?: string;
  memoryLimit?: string;
}

/** Adds --time-limit and --memory-limit. */
export const withLimits = (command: Command): Command =>
  command
    .option(
      '--time-limit <seconds>',
      'end the model when it takes longer; 0: never (default: 10 minutes to open it; then, in a run, a multiple of its measured cost)',
    )
    .option('--memory-limit <size>', 'end the model when it takes more, e.g. 4GB; 0: never (default: 3/4 of the machine)');

/** What was asked for: by option, else by `stated`; undefined where nothing was. */
export function limitsOf(
  flags: LimitFlags,
  stated?: { seconds: number | 'auto'; memory: number | string },
): LimitOptions | undefined {
  const { timeLimit, memoryLimit } = flags;
  if (timeLimit === undefined && memoryLimit === undefined && stated === undefined) return undefined;
  const memory = stated?.memory ?? 'auto';
  return {
    seconds: timeLimit === undefined ? (stated?.seconds ?? 'auto') : parseSeconds(timeLimit, '--time-limit'),
    memory:
      memoryLimit !== undefined
        ? parseMemory(memoryLimit, '--memory-limit')
        : memory === 'auto'
          ? 'auto'
          : parseMemory(memory, 'limits.memory'),
  };
}
