/** @file Recordings the loaders of other libraries are given: `npx tsx test/oracles/spiking/event-files.ts FOLDER` writes them, events.py reads them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stream as randomStream } from '../../../src/core/tensor/random.ts';
import { writeEvents } from '../../../src/kit/data/events/formats.ts';
import type { EventStream } from '../../../src/kit/data/events/stream.ts';

const count = 3000;

/** Events anywhere on the sensor, `gap` microseconds apart on average. */
export function randomRecording(side: number, gap: number, start = 0): EventStream {
  const random = randomStream(0, 'event-files', side, gap);
  const whole = (n: number) => Array.from({ length: count }, () => random.integer(n));
  let t = start;
  return {
    width: side,
    height: side,
    x: Uint16Array.from(whole(side)),
    y: Uint16Array.from(whole(side)),
    p: Uint8Array.from(whole(2)),
    t: Float64Array.from(whole(2 * gap), (step) => {
      t += step;
      return t;
    }),
  };
}

/** File contents by name; AEDAT 3.1 crosses the 31 bits of its clock. */
export const eventFiles = (): Record<string, Uint8Array> => ({
  'dvs128.aedat': writeEvents(randomRecording(128, 100), 'aedat-2.0', { convention: 'spikingjelly' }),
  'gesture.aedat': writeEvents(randomRecording(128, 50, 2 ** 31 - 70_000), 'aedat-3.1'),
  'nmnist.bin': writeEvents(randomRecording(34, 100), 'atis'),
  'overflow.bin': writeEvents(randomRecording(34, 3000), 'atis'),
  'npz.npz': writeEvents(randomRecording(64, 100), 'npz'),
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]!;
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(eventFiles())) await writeFile(join(folder, name), bytes);
}
