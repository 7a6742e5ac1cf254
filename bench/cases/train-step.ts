import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeNpz } from '../../src/core/tensor/npy.ts';
import { scalar, type Tensor } from '../../src/core/tensor/tensor.ts';
import { batchOf, noiseOf, openTrainingJob, type TrainingJob } from '../jobs/training.ts';
import { type BenchLine, comparison, interleave, median, seconds, startPeer } from '../measure.ts';
import { type TrainingCase, trainingCase, trainingCases } from '../models/training.ts';

/** `compared`: steps whose losses are held against the peer's; `remembered`: steps of the processes whose memory is measured. */
const settings = { threads: 2, rounds: 9, compared: 3, remembered: 5, memoryRounds: 3 } as const;

/**
 * A training step (forward, backward, update) against PyTorch's of the same net from the same first weights, eager mode; and the most memory a process
 * held that makes a few of them. `lossDifference` is the largest difference of the losses the first steps began with, random inputs being equal.
 */
export async function* trainStep(chosen: readonly string[] = trainingCases): AsyncGenerator<BenchLine> {
  const folder = await mkdtemp(join(tmpdir(), 'train-step-'));
  try {
    for (const name of chosen) yield await oneCase(trainingCase(name), join(folder, `${name}.npz`));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function oneCase(one: TrainingCase, file: string): Promise<BenchLine> {
  const { threads, rounds, compared } = settings;
  const job = await openTrainingJob(one.name, threads);
  await writeFile(file, sharedStart(one, job));
  const peer = await startPeer('train_step.py', [one.name, String(threads), file]);
  const differences: number[] = [];
  for (let i = 0; i < compared; i++) {
    const loss = await job.train();
    if (peer) differences.push(Math.abs(loss - (await peer.measure('loss'))));
  }
  const several = async (step: () => Promise<number>): Promise<number> => {
    let sum = 0;
    for (let i = 0; i < one.steps; i++) sum += await step();
    return sum / one.steps;
  };
  const [ours, theirs] = await interleave(rounds, [
    () => several(() => seconds(job.train)),
    ...(peer ? [() => several(() => peer.measure('step'))] : []),
  ]);
  peer?.close();
  await job.trainer.release();
  const memory = await memoryOf(one, file);
  return {
    ...comparison(
      { name: 'train-step', case: `${one.title}, ${threads} threads`, unit: 's' },
      [ours!, theirs],
      peer?.version ?? null,
    ),
    memory,
    lossDifference: peer ? Math.max(...differences) : null,
  };
}

/** First weights, batch, settings and random inputs of the first steps, for the peer to begin from. */
function sharedStart(one: TrainingCase, { trainer }: TrainingJob): Uint8Array {
  const { inputs, label } = batchOf(one);
  const state = trainer.state();
  const weights = trainer.parameters.map((name): [string, Tensor] => [`weight/${name}`, state[name]!]);
  const numbers = Object.entries(one.settings).map(([name, value]): [string, Tensor] => [
    `setting/${name}`,
    scalar(Number(value)),
  ]);
  const noise = Array.from({ length: settings.compared }, (_, step) =>
    Object.values(noiseOf(one, trainer.noise, step)).map((value, i): [string, Tensor] => [`noise/${step}/${i}`, value]),
  );
  const arrays = Object.fromEntries([...weights, ...numbers, ...noise.flat()]);
  return writeNpz({ input: Object.values(inputs)[0]!, label, ...arrays }, { compress: false });
}

/** Megabytes of a process of ours and of the peer's, medians. */
async function memoryOf({ name }: TrainingCase, file: string): Promise<NonNullable<BenchLine['memory']>> {
  const { threads, remembered, memoryRounds } = settings;
  const script = fileURLToPath(new URL('../jobs/train-memory.ts', import.meta.url));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < memoryRounds; round++) {
    const args = ['--import', 'tsx', script, name, String(threads), String(remembered)];
    ours.push(Number((await promisify(execFile)(process.execPath, args)).stdout));
    const peer = await startPeer('train_step.py', [name, String(threads), file]);
    if (peer === undefined) continue;
    for (let i = 0; i < remembered; i++) await peer.measure('step');
    theirs.push(await peer.measure('memory'));
    peer.close();
  }
  const peer = theirs.length === 0 ? null : median(theirs);
  return { ours: median(ours), peer, ratio: peer === null ? null : median(ours) / peer };
}
