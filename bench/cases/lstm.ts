import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import { openModel } from '../../src/kit/model/open.ts';
import { openSessions } from '../../src/kit/model/sessions.ts';
import { type BenchLine, comparison, interleave, seconds, startPeer } from '../measure.ts';
import { cnnLstm, shape } from '../models/cnn-lstm.ts';

/** Size of the job: gradient steps on a batch of 16 clips with 2 threads; one measurement is `steps` of them. */
const job = { batch: 16, steps: 5, threads: 2, rounds: 9 } as const;

/** Seconds of one input gradient (cross-entropy) of the speech CNN-LSTM, through the oracle as attacks ask it, against PyTorch, eager mode. */
export async function* lstm(): AsyncGenerator<BenchLine> {
  const runtime = createRuntime(ort, { threads: job.threads });
  const model = await openModel(cnnLstm(), { name: 'cnn-lstm', sha256: '', execute: runtime.execute });
  const sessions = openSessions(model, runtime);
  const probes = Array.from({ length: job.batch }, (_, i) => ({
    of: i,
    inputs: { features: Float32Array.from({ length: shape.frames * shape.bands }, stream(0, 'bench', i).normal) },
  }));
  const losses = probes.map((_, i) => ({ label: i % shape.classes, ce: 1 }));
  const oracle = createOracle(sessions, { maxBatch: job.batch });
  const steps = async () => {
    for (let i = 0; i < job.steps; i++) await oracle.gradient(probes, losses);
  };
  const peer = await startPeer('lstm.py', [String(job.batch), String(job.steps), String(job.threads)]);
  const [ours, theirs] = await interleave(job.rounds, [() => seconds(steps), ...(peer ? [() => peer.measure('go')] : [])]);
  peer?.close();
  await sessions.release();
  const each = (times: readonly number[]): number[] => times.map((time) => time / job.steps);
  const title = `input gradient of the speech CNN-LSTM, batch ${job.batch}, ${job.threads} threads`;
  yield comparison({ name: 'lstm', case: title, unit: 's' }, [each(ours!), theirs && each(theirs)], peer?.version ?? null);
}
