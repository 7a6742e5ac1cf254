/** SpikingJelly and TONIC read from our files what we read, and SpikingJelly cuts it into the frames we cut it into (test/oracles/spiking/events.py). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cut, framesOf } from '../../../../src/kit/data/events/binning.ts';
import type { Convention } from '../../../../src/kit/data/events/convention.ts';
import { readEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import { eventFiles } from '../../../oracles/spiking/event-files.ts';
import { rowsOf } from './arbitrary.ts';

interface Described {
  readonly count: number;
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly events: string;
  readonly number: { readonly sum: readonly number[]; readonly sha256: string };
  readonly time: { readonly sum: readonly number[]; readonly sha256: string };
}

type Library = 'spikingjelly' | 'tonic';

const recorded = JSON.parse(readFileSync(new URL('../../../fixtures/spiking/events.json', import.meta.url), 'utf8')) as Record<
  Library,
  Record<string, Described>
> & { readonly files: Record<string, string> };

const sha = (...arrays: (BigInt64Array | Float32Array)[]): string => {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
};

const files = eventFiles();
const cases = (['spikingjelly', 'tonic'] as const).flatMap((library) =>
  Object.entries(recorded[library]).map(([file, described]): [Library, string, Described] => [library, file, described]),
);

test('the files are those the libraries were given', () => {
  const hashes = Object.entries(files).map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]);
  expect(Object.fromEntries(hashes)).toEqual(recorded.files);
});

test.each(cases)('%s reads %s as we do', async (library, name, described) => {
  const convention: Convention = library;
  const stream = await readEvents(inMemory(files[name]!), name, { convention });
  const rows = rowsOf(stream);
  expect([rows.length, rows[0], rows.at(-1)]).toEqual([described.count, described.first, described.last]);
  const { x, y, p, t } = stream;
  expect(sha(...[x, y, p, t].map((values) => BigInt64Array.from(Array.from(values, BigInt))))).toBe(described.events);
  for (const by of ['number', 'time'] as const) {
    const frames = framesOf(cut(stream, { frames: 10, by, values: 'count' }));
    const size = frames.length / 10;
    const sums = Array.from({ length: 10 }, (_, f) => frames.subarray(f * size, (f + 1) * size).reduce((a, b) => a + b));
    expect(sums).toEqual(described[by].sum);
    expect(sha(frames)).toBe(described[by].sha256);
  }
});
