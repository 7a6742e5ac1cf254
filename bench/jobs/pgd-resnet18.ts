/** @file The job of several benchmarks: PGD-20 on ResNet-18 with random weights, the whole attack as a user runs it (oracle, loss, projection). */
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import type { Sample } from '../../src/kit/model/model.ts';
import { openModel } from '../../src/kit/model/open.ts';
import { openSessions } from '../../src/kit/model/sessions.ts';
import { lpThreat } from '../../src/kit/threat/lp.ts';
import { attackNamed, readOptions } from '../../src/methods/attacks/registry.ts';
import { resnet18 } from '../models/resnet18.ts';

export const pgdJob = { side: 112, batch: 8, steps: 20 } as const;

export interface PgdJob {
  attack(): Promise<unknown>;
  release(): Promise<void>;
}

/** The model opened and samples made; each call of `attack` is one whole attack. */
export async function openPgdJob(threads: number, batch: number = pgdJob.batch): Promise<PgdJob> {
  const { side, steps } = pgdJob;
  const runtime = createRuntime(ort, { threads });
  const model = await openModel(resnet18(side), { name: 'resnet18', sha256: '', execute: runtime.execute });
  const sessions = openSessions(model, runtime);
  const samples = Array.from({ length: batch }, (_, i): Sample => {
    const random = stream(0, 'bench', i);
    const image = Float32Array.from({ length: 3 * side ** 2 }, random.uniform);
    return { id: String(i), group: String(i), label: i, inputs: { image } };
  });
  const pgd = attackNamed('pgd');
  const options = readOptions(pgd, { steps, earlyStop: false });
  return {
    attack: () =>
      pgd.run(
        {
          oracle: createOracle(sessions, { maxBatch: batch }),
          batch: samples,
          goals: samples.map((s) => ({ kind: 'untargeted' as const, label: s.label! })),
          threats: samples.map(() => ({ image: lpThreat(model.inputs.image!, { norm: 'linf', eps: 8 / 255 }) })),
          random: (i, restart) => stream(0, i, restart),
          signal: new AbortController().signal,
          progress: () => undefined,
        },
        options,
      ),
    release: () => sessions.release(),
  };
}
