import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pgdJob } from '../jobs/pgd-resnet18.ts';
import { type BenchLine, comparison, startPeer } from '../measure.ts';

const settings = { threads: 2, rounds: 3 } as const;

/** The most memory a process holds that makes the PGD job three times over, runtime and language included, against PyTorch doing the same. */
export async function* memory(): AsyncGenerator<BenchLine> {
  const { side, batch, steps } = pgdJob;
  const { threads, rounds } = settings;
  const ours: number[] = [];
  const theirs: number[] = [];
  let version: string | null = null;
  for (let round = 0; round < rounds; round++) {
    const script = fileURLToPath(new URL('../jobs/peak-memory.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, String(threads)]);
    ours.push(Number(stdout));
    const peer = await startPeer('pgd_resnet18.py', [String(side), String(batch), String(steps), String(threads)]);
    if (peer === undefined) continue;
    version = peer.version;
    for (let i = 0; i < 3; i++) await peer.measure('go');
    theirs.push(await peer.measure('memory'));
    peer.close();
  }
  const title = `peak of a process, PGD-${steps}, ${side}x${side}, batch ${batch}, ${threads} threads`;
  yield comparison({ name: 'memory', case: title, unit: 'MB' }, [ours, theirs], version);
}
