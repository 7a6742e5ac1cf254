import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openPgdJob, pgdJob } from '../jobs/pgd-resnet18.ts';
import { type BenchLine, comparison, interleave, seconds, startPeer } from '../measure.ts';

const settings = { threads: 2, rounds: 9 } as const;

/**
 * The whole attack as a user runs it against the plain PGD loop in PyTorch, eager mode, on two cores: ours in one process with two threads, and in two
 * worker processes with one thread and half the batch each (`--workers 2`); PyTorch with two threads, which is its better way (two processes take 2 % longer).
 */
export async function* pgdResnet18(): AsyncGenerator<BenchLine> {
  const { side, batch, steps } = pgdJob;
  const { threads, rounds } = settings;
  const job = await openPgdJob(threads);
  const workers = await Promise.all([startWorker(), startWorker()]);
  const peer = await startPeer('pgd_resnet18.py', [String(side), String(batch), String(steps), String(threads)]);
  const [here, shared, theirs] = await interleave(rounds, [
    () => seconds(job.attack),
    () => seconds(() => Promise.all(workers.map((worker) => answered(worker, () => worker.send('go'))))),
    ...(peer ? [() => peer.measure('go')] : []),
  ]);
  peer?.close();
  for (const worker of workers) worker.kill();
  await job.release();
  const line = (how: string, ours: readonly number[]): BenchLine =>
    comparison(
      { name: 'pgd-resnet18', case: `PGD-${steps}, ${side}x${side}, batch ${batch}, ${how}`, unit: 's' },
      [ours, theirs],
      peer?.version ?? null,
    );
  yield line('one process, 2 threads', here!);
  yield line('2 workers, 1 thread each', shared!);
}

async function startWorker(): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../jobs/pgd-half.ts', import.meta.url));
  const child = fork(script, [], { execArgv: ['--import', 'tsx'] });
  await answered(child, () => undefined);
  return child;
}

/** Asks, and waits for the next message. */
function answered(child: ChildProcess, ask: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a worker ended with code ${code}`));
    child.once('exit', ended);
    child.once('message', () => {
      child.off('exit', ended);
      resolve();
    });
    ask();
  });
}
