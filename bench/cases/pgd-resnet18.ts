import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import type { Sample } from '../../src/kit/model/model.ts';
import { openModel } from '../../src/kit/model/open.ts';
import { openSessions } from '../../src/kit/model/sessions.ts';
import { lpThreat } from '../../src/kit/threat/lp.ts';
import { attackNamed, readOptions } from '../../src/methods/attacks/registry.ts';
import { type BenchLine, interleave, median, seconds, spreadOf, startPeer } from '../measure.ts';
import { resnet18 } from '../models/resnet18.ts';

/** Size of the job: PGD-20 on a batch of 8 at 112 x 112 with 2 threads. */
const job = { side: 112, batch: 8, steps: 20, threads: 2, rounds: 9 } as const;

/** The whole attack as a user runs it (oracle, loss, projection), against the plain PGD loop in PyTorch, eager mode. */
export async function* pgdResnet18(): AsyncGenerator<BenchLine> {
  const runtime = createRuntime(ort, { threads: job.threads });
  const model = await openModel(resnet18(job.side), { name: 'resnet18', sha256: '', execute: runtime.execute });
  const sessions = openSessions(model, runtime);
  const samples = Array.from({ length: job.batch }, (_, i): Sample => {
    const random = stream(0, 'bench', i);
    return {
      id: String(i),
      group: String(i),
      label: i,
      inputs: { image: Float32Array.from({ length: 3 * job.side ** 2 }, random.uniform) },
    };
  });
  const pgd = attackNamed('pgd');
  const options = readOptions(pgd, { steps: job.steps, earlyStop: false });
  const attack = () =>
    pgd.run(
      {
        oracle: createOracle(sessions, { maxBatch: job.batch }),
        batch: samples,
        goals: samples.map((s) => ({ kind: 'untargeted' as const, label: s.label! })),
        threats: samples.map(() => ({ image: lpThreat(model.inputs.image!, { norm: 'linf', eps: 8 / 255 }) })),
        random: (i, restart) => stream(0, i, restart),
        signal: new AbortController().signal,
        progress: () => undefined,
      },
      options,
    );
  const peer = await startPeer('pgd_resnet18.py', [String(job.side), String(job.batch), String(job.steps), String(job.threads)]);
  const [ours, theirs] = await interleave(job.rounds, [() => seconds(attack), ...(peer ? [() => peer.measure('go')] : [])]);
  peer?.close();
  await sessions.release();
  const other = theirs === undefined ? null : median(theirs);
  yield {
    name: 'pgd-resnet18',
    case: `PGD-${job.steps}, ${job.side}x${job.side}, batch ${job.batch}, ${job.threads} threads`,
    ours: median(ours!),
    peer: other,
    ratio: other === null ? null : median(ours!) / other,
    unit: 's',
    peerVersion: peer?.version ?? null,
    runs: job.rounds,
    spread: spreadOf(ours!),
  };
}
