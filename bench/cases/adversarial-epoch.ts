import { adversarialEpoch, epochJob } from '../jobs/adversarial-epoch.ts';
import { type BenchLine, comparison, interleave, startPeer } from '../measure.ts';

const settings = { threads: 2, rounds: 5 } as const;

/** An epoch of PGD-AT through fit(), its inner attack on the network with running statistics, against the plain loop in PyTorch, eager mode. */
export async function* adversarialTraining(): AsyncGenerator<BenchLine> {
  const { samples, side, classes, batch, eps, steps, lr, momentum } = epochJob;
  const { threads, rounds } = settings;
  const args = [samples, side, classes, batch, eps, steps, lr, momentum, threads].map(String);
  const peer = await startPeer('adversarial_epoch.py', args);
  const [ours, theirs] = await interleave(rounds, [() => adversarialEpoch(threads), ...(peer ? [() => peer.measure('go')] : [])]);
  peer?.close();
  const title = `PGD-${steps} training of the small CNN, ${samples} pictures of ${side}x${side}, batch ${batch}, ${threads} threads`;
  yield comparison({ name: 'adversarial-epoch', case: title, unit: 's' }, [ours!, theirs], peer?.version ?? null);
}
