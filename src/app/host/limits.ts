/** @file What a process that runs a model nobody has vouched for may take, and what is said when it takes more. */
import { totalmem } from 'node:os';
import { UserError } from '../../core/errors.ts';

/** 'auto' is settled where the cost is known: time from what a pass of the model takes, memory from the machine. */
export interface LimitOptions {
  /** Seconds; 0: none. */
  readonly seconds: number | 'auto';
  /** Bytes of resident memory; 0: none. */
  readonly memory: number | 'auto';
}

export const defaults = {
  /** Share of the machine's memory that all processes of a run may take together. */
  share: 0.75,
  /** Seconds for opening a model, or for a one-off command. */
  opening: 600,
  /** Seconds any unit gets. */
  least: 60,
  /** How many times the measured cost a unit gets beyond that: a loaded machine is no hang. */
  slack: 20,
  /** What a backward pass may cost, in forward passes. */
  backward: 8,
} as const;

/** How a process ended that did not answer. */
export type End =
  | { readonly kind: 'time'; readonly seconds: number }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'crash'; readonly code: number | null; readonly signal: string | null; readonly words: string };

/** An end in words: what happened, and what to do about it. */
export function describeEnd(end: End): { reason: string; remedy: string } {
  switch (end.kind) {
    case 'time':
      return {
        reason: `the time limit of ${end.seconds} s was over before it answered`,
        remedy: 'if the model is only slow, raise the limit: --time-limit SECONDS (0: none), or limits.seconds in the experiment',
      };
    case 'memory':
      return {
        reason: `it took more memory than the limit of ${sizeText(end.bytes)}`,
        remedy:
          'if the machine has more to give, raise the limit: --memory-limit 8GB (0: none), or limits.memory in the experiment; a smaller batch takes less',
      };
    case 'crash': {
      const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
      const guess = end.signal === 'SIGKILL' ? ' (most likely by the system, for want of memory)' : '';
      return {
        reason: `a worker process ended ${how}${guess}${end.words === '' ? '' : `: ${end.words}`}`,
        remedy:
          'the file is damaged or meets a fault of the runtime: check it with `provoke validate`, or export it again at another opset',
      };
    }
  }
}

/** Bytes one of `workers` processes may take: a share of what the machine, or the container, has. */
export function memoryLimit(memory: LimitOptions['memory'], workers = 1): number {
  if (memory !== 'auto') return memory;
  const constrained = process.constrainedMemory();
  const there = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.floor((defaults.share * there) / workers);
}

/** Seconds from an option or a field; 0 is none. */
export function parseSeconds(text: string | number, field: string): number {
  const value = Number(text);
  if (String(text).trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new UserError(`${field}: "${text}" is not a number of seconds`, `for example ${field} 120; 0 for no limit`);
}

const units = { MB: 2 ** 20, GB: 2 ** 30 } as const;

/** Bytes from "600MB" or "4 GB"; 0 is none. */
export function parseMemory(text: string | number, field: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(MB|GB)$/i.exec(String(text).trim());
  if (String(text).trim() === '0') return 0;
  const bytes = match === null ? 0 : Math.floor(Number(match[1]) * units[match[2]!.toUpperCase() as keyof typeof units]);
  if (bytes > 0) return bytes;
  throw new UserError(
    `${field}: "${text}" is not a size of memory`,
    `for example ${field} 600MB or ${field} 4GB; 0 for no limit`,
  );
}

const sizeText = (bytes: number): string =>
  bytes >= units.GB ? `${(bytes / units.GB).toFixed(1)} GB` : `${Math.round(bytes / units.MB)} MB`;
