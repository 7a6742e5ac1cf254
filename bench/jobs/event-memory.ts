/** @file A process of its own that bins a recording from a file: MB its memory grew by, and MB/s, on standard output. */
import { open, stat } from 'node:fs/promises';
import { binReader } from '../../src/kit/data/events/bin-reader.ts';
import { openEvents } from '../../src/kit/data/events/formats.ts';
import type { ByteSource } from '../../src/kit/data/source.ts';

const [path, warmUp] = process.argv.slice(2) as [string, string];
const sensor = { width: 34, height: 34 };

/** The system's own maximum would count what the parent held when it started this process. */
let peak = 0;

async function bytesOf(place: string): Promise<ByteSource> {
  const file = await open(place);
  return {
    size: (await stat(place)).size,
    async read(offset, length, into = new Uint8Array(length)) {
      peak = Math.max(peak, process.memoryUsage.rss());
      return into.subarray(0, (await file.read(into, 0, length, offset)).bytesRead);
    },
  };
}

/** Chunks through all checks; the frames read everything twice. */
const bin = async (place: string) => binReader(await openEvents(await bytesOf(place), place, { sensor }), { frames: 10 });

await bin(warmUp);
const before = process.memoryUsage.rss();
peak = before;
const started = performance.now();
await bin(path);
const seconds = (performance.now() - started) / 1000;
const grown = (Math.max(peak, process.memoryUsage.rss()) - before) / 2 ** 20;
const megabytes = (2 * (await stat(path)).size) / 1e6;
process.stdout.write(`${JSON.stringify({ grown, rate: megabytes / seconds })}\n`);
