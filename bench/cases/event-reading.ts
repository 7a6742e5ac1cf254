import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventFormatName, eventFormats, readEvents, writeEvents } from '../../src/kit/data/events/formats.ts';
import { inMemory } from '../../src/kit/data/events/sequential.ts';
import { type BenchLine, comparison, interleave, seconds, startPeer } from '../measure.ts';
import { wandering } from '../models/event-recording.ts';

const rounds = 5;

/** SpikingJelly unpacks AEDAT 3.1 event by event: a smaller file does. */
const cases: readonly { format: EventFormatName; events: number; side: number }[] = [
  { format: 'aedat-2.0', events: 2_000_000, side: 128 },
  { format: 'aedat-3.1', events: 200_000, side: 128 },
  { format: 'atis', events: 2_000_000, side: 34 },
];

/** MB of an event file read per second, file to arrays, with one thread, all checks included, against SpikingJelly's loader, which makes none. */
export async function* eventReading(): AsyncGenerator<BenchLine> {
  const folder = await mkdtemp(join(tmpdir(), 'provoke-events-'));
  const peer = await startPeer('event_reading.py', []);
  try {
    for (const { format, events, side } of cases) {
      const path = join(folder, `${format}${eventFormats[format].ending}`);
      const bytes = writeEvents(wandering(events, side), format);
      await writeFile(path, bytes);
      const read = async () => readEvents(inMemory(await readFile(path)), path);
      const [ours, theirs] = await interleave(rounds, [
        () => seconds(read),
        ...(peer ? [() => peer.measure(`${format} ${path}`)] : []),
      ]);
      const rates = (times: readonly number[]) => times.map((time) => bytes.length / 1e6 / time);
      const title = `${eventFormats[format].title}, ${(bytes.length / 1e6).toFixed(1)} MB`;
      yield comparison(
        { name: 'event-reading', case: title, unit: 'MB/s' },
        [rates(ours!), theirs && rates(theirs)],
        peer?.version ?? null,
      );
    }
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}
