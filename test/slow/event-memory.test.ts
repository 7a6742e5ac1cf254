/** @file Recordings of 100 MB become frames in little memory and little time: no file is ever held whole. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wandering } from '../../bench/models/event-recording.ts';
import { type EventFormatName, eventFormats, writeEvents } from '../../src/kit/data/events/formats.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provoke-events-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const script = fileURLToPath(new URL('../../bench/jobs/event-memory.ts', import.meta.url));

test.each([
  ['aedat-2.0', 12_500_000, 128],
  ['aedat-3.1', 12_500_000, 128],
  ['atis', 20_000_000, 34],
  ['csv', 6_500_000, 34],
] as const)('%s: at most 64 MB more memory, at least 20 MB/s', async (format: EventFormatName, events, side) => {
  const place = (name: string) => join(folder, `${name}-${format}${eventFormats[format].ending}`);
  const bytes = writeEvents(wandering(events, side), format);
  expect(bytes.length).toBeGreaterThan(90e6);
  await writeFile(place('large'), bytes);
  await writeFile(place('small'), writeEvents(wandering(100_000, side), format));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, place('large'), place('small')]);
  await rm(place('large'));
  const { grown, rate } = JSON.parse(stdout) as { grown: number; rate: number };
  process.stdout.write(
    `${format}: ${(bytes.length / 1e6).toFixed(0)} MB, grew by ${grown.toFixed(1)} MB, ${rate.toFixed(0)} MB/s\n`,
  );
  expect(grown).toBeLessThanOrEqual(64);
  expect(rate).toBeGreaterThanOrEqual(20);
});
