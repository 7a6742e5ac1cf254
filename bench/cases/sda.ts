import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSdaJob, victim } from '../jobs/sda.ts';
import { type BenchLine, comparison, interleave, median, seconds, startPeer } from '../measure.ts';

const settings = { threads: 1, rounds: 3, clips: 4 } as const;

const modes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'mode reference': { mode: 'reference' },
  default: {},
  'reduce prefix': { reduce: 'prefix' },
};

/** Seconds per clip of the sparse dynamic attack, clip by clip, one thread, against the published algorithm in PyTorch on the same network. */
export async function* sdaBench(): AsyncGenerator<BenchLine> {
  const { threads, rounds, clips: count } = settings;
  const job = await openSdaJob(count, threads);
  const folder = await mkdtemp(join(tmpdir(), 'provoke-sda-'));
  const path = join(folder, 'clips');
  for (const [k, { x }] of job.clips.entries()) await writeFile(`${path}-${k}`, Uint8Array.from(x));
  const peer = await startPeer('sda_pytorch.py', [victim, String(threads), path, ...job.clips.map(({ label }) => String(label))]);
  try {
    const flips: number[] = [];
    let theirFlips: number | undefined;
    const ours = Object.values(modes).map((options, m) => async () => {
      const time = await seconds(async () => {
        flips[m] = median(await job.attack(options));
      });
      return time / count;
    });
    const theirs = async (): Promise<number> => {
      const [time, ...counts] = (await peer!.ask('go')).split(' ').map(Number) as [number, ...number[]];
      theirFlips = median(counts);
      return time / count;
    };
    const times = await interleave(rounds, [...ours, ...(peer ? [theirs] : [])]);
    const peerTimes = peer ? times.at(-1) : undefined;
    for (const [m, name] of Object.keys(modes).entries()) {
      const against = theirFlips === undefined ? '' : ` (peer ${theirFlips})`;
      yield comparison(
        { name: 'sda', case: `${name}, ${count} clips, median ${flips[m]} flips${against}`, unit: 's' },
        [times[m]!, peerTimes],
        peer?.version ?? null,
      );
    }
  } finally {
    peer?.close();
    await job.release();
    await rm(folder, { recursive: true, force: true });
  }
}
