import { openPgdJob, pgdJob } from '../jobs/pgd-resnet18.ts';
import { type BenchLine, interleave, median, seconds, spreadOf, startPeer } from '../measure.ts';

const settings = { threads: 2, rounds: 9 } as const;

/** The whole attack as a user runs it against the plain PGD loop in PyTorch, eager mode. */
export async function* pgdResnet18(): AsyncGenerator<BenchLine> {
  const { side, batch, steps } = pgdJob;
  const { threads, rounds } = settings;
  const job = await openPgdJob(threads);
  const peer = await startPeer('pgd_resnet18.py', [String(side), String(batch), String(steps), String(threads)]);
  const [ours, theirs] = await interleave(rounds, [() => seconds(job.attack), ...(peer ? [() => peer.measure('go')] : [])]);
  peer?.close();
  await job.release();
  const other = theirs === undefined ? null : median(theirs);
  yield {
    name: 'pgd-resnet18',
    case: `PGD-${steps}, ${side}x${side}, batch ${batch}, ${threads} threads`,
    ours: median(ours!),
    peer: other,
    ratio: other === null ? null : median(ours!) / other,
    unit: 's',
    peerVersion: peer?.version ?? null,
    runs: rounds,
    spread: spreadOf(ours!),
  };
}
