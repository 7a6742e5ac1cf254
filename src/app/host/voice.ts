/** @file Who speaks on standard error: a child's own words go to the user, those of the runtime's native code are kept for its parent. */

import type { ChildProcess } from 'node:child_process';
import { writeSync } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { isatty, WriteStream } from 'node:tty';

/** `stdio` of a child whose native chatter is caught at 2, while its own words go to 3: this process's standard error. */
export const stdio = ['ignore', 'inherit', 'pipe', 2, 'ipc'] as const;

/** In such a child: from now on `process.stderr` is the user's. */
export function speakToUser(): void {
  const stream = isatty(3)
    ? new WriteStream(3)
    : new Writable({
        decodeStrings: true,
        write(chunk: Uint8Array, _, done) {
          writeSync(3, chunk);
          done();
        },
      });
  Object.defineProperty(process, 'stderr', { value: stream, configurable: true });
}

/** How a child ended, and the line of its native code that tells most about it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly words: string;
}

/** Seconds a dead child's words are waited for: somebody else may hold the stream open. */
export const defaults = { words: 1 } as const;

/** Resolves when a child started with `stdio` has ended and has been heard out. Its event 'close' does not come after a disconnect. */
export async function endOf(child: ChildProcess): Promise<Ending> {
  const words = listen(child.stderr!);
  const said = new Promise<void>((resolve) => child.stderr!.once('close', resolve));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('exit', (code, signal) => resolve([code, signal])),
  );
  await Promise.race([said, new Promise<void>((resolve) => setTimeout(resolve, 1000 * defaults.words).unref())]);
  return { code, signal, words: words() };
}

/** Keeps the end of what a stream says; the function returned gives the line that tells most of it. */
function listen(stream: Readable): () => string {
  let heard = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => (heard = (heard + chunk).slice(-16384)));
  return () => lastWords(heard);
}

const telling = [/heap out of memory/, /what\(\):/, /assert/i, /terminate called/, /^\w*Error\b.*:/];

function lastWords(text: string): string {
  const lines = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours start with the escape character
    .replaceAll(/\x1b\[[\d;]*m/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const found = telling.map((pattern) => lines.findLast((line) => pattern.test(line))).find((line) => line !== undefined);
  return (found ?? lines.at(-1) ?? '').slice(0, 300);
}
