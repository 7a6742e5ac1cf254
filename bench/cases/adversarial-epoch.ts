import { adversarialEpoch, epochJob } from '../jobs/adversarial-epoch.ts';
import { type BenchLine, interleave, median, spreadOf, startPeer } from '../measure.ts';

const settings = { threads: 2, rounds: 5 } as const;

/** An epoch of PGD-AT through fit(), its inner attack on the network with running statistics, against the plain loop in PyTorch, eager mode. */
export async function* adversarialTraining(): AsyncGenerator<BenchLine> {
  const { samples, side, classes, batch, eps, steps, lr, momentum } = epochJob;
  const { threads, rounds } = settings;
  const args = [samples, side, classes, batch, eps, steps, lr, momentum, threads].map(String);
  const peer = await startPeer('adversarial_epoch.py', args);
  const [ours, theirs] = await interleave(rounds, [() => adversarialEpoch(threads), ...(peer ? [() => peer.measure('go')] : [])]);
  peer?.close();
  const other = theirs === undefined ? null : median(theirs);
  yield {
    name: 'adversarial-epoch',
    case: `PGD-${steps} training of the small CNN, ${samples} pictures of ${side}x${side}, batch ${batch}, ${threads} threads`,
    ours: median(ours!),
    peer: other,
    ratio: other === null ? null : median(ours!) / other,
    unit: 's',
    peerVersion: peer?.version ?? null,
    runs: rounds,
    spread: spreadOf(ours!),
  };
}
