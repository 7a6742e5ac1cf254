/** @file Watching a child process: what takes longer or more memory than it may is killed, and why is remembered. */
import { type ChildProcess, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { End } from './limits.ts';

export interface Watch {
  /** Starts the clock anew: the child is killed when `seconds` are over; 0: never. */
  allow(seconds: number): void;
  /** Stops the clock: the child has answered. */
  rest(): void;
  /** Why the child was killed, once it was. */
  readonly breach: End | undefined;
}

/** Seconds between two looks; asking `ps` is dear. */
export const defaults = { every: 0.05, everyByCommand: 1 } as const;

/** Watches until the child ends. `memory` is in bytes, 0 for no limit. */
export function watch(child: ChildProcess, memory: number): Watch {
  const every = process.platform === 'linux' ? defaults.every : defaults.everyByCommand;
  let [allowed, used] = [0, 0];
  let breach: End | undefined;
  let last = performance.now();
  const kill = (why: End) => {
    breach ??= why;
    child.kill('SIGKILL');
  };
  if (memory > 0) sayWhereUnwatched();
  const timer = setInterval(() => {
    const now = performance.now();
    // a laptop that slept, or a job that was stopped, did not use its time
    used += Math.min((now - last) / 1000, 10 * every);
    last = now;
    if (allowed > 0 && used > allowed) kill({ kind: 'time', seconds: allowed });
    else if (memory > 0)
      residentBytes(child.pid!, (bytes) => {
        if (bytes > memory && child.exitCode === null) kill({ kind: 'memory', bytes: memory });
      });
  }, 1000 * every);
  child.once('exit', () => clearInterval(timer));
  return {
    allow(seconds) {
      [allowed, used, last] = [seconds, 0, performance.now()];
    },
    rest() {
      allowed = 0;
    },
    get breach() {
      return breach;
    },
  };
}

/** Resident memory of a process; `tell` is not called for one that has gone. */
function residentBytes(pid: number, tell: (bytes: number) => void): void {
  if (process.platform === 'linux') {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(statusOf(pid))?.[1];
    if (kilobytes !== undefined) tell(1024 * Number(kilobytes));
  } else if (process.platform !== 'win32') {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], (error, stdout) => {
      if (error === null) tell(1024 * Number(stdout));
    });
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

let said = false;

function sayWhereUnwatched(): void {
  if (said || process.platform !== 'win32') return;
  said = true;
  process.stderr.write('note: the memory of child processes cannot be watched on Windows: only the time limit holds\n');
}
