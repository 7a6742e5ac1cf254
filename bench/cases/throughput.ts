import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { writeModel } from '../../src/core/onnx/writer.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { type BenchLine, interleave, median, seconds, spreadOf } from '../measure.ts';
import { resnet18 } from '../models/resnet18.ts';

/** Two numbers of samples, each a whole number of units (16) for one and for two workers: their difference in time is work without start-up. */
const job = { side: 64, few: 32, many: 96, rounds: 3 } as const;

const launcher = fileURLToPath(new URL('../../bin/provoke.js', import.meta.url));

/** Samples per second of `provoke run` (PGD-20 on ResNet-18, one compute thread a process): two worker processes against one. */
export async function* throughput(): AsyncGenerator<BenchLine> {
  const folder = await mkdtemp(join(tmpdir(), 'provoke-throughput-'));
  await prepareFolder(folder);
  const run = (workers: number, limit: number) => () =>
    seconds(() =>
      promisify(execFile)(
        process.execPath,
        [
          launcher,
          'run',
          join(folder, `${limit}.yaml`),
          '--workers',
          `${workers}`,
          '--threads',
          '1',
          '--overwrite',
          '--out',
          join(folder, 'run'),
        ],
        { cwd: folder },
      ),
    );
  const times = await interleave(job.rounds, [run(1, job.few), run(1, job.many), run(2, job.few), run(2, job.many)]);
  await rm(folder, { recursive: true });
  const [fewAlone, manyAlone, fewShared, manyShared] = times as [number[], number[], number[], number[]];
  const rate = (few: number[], many: number[]) => (job.many - job.few) / (median(many) - median(few));
  const line = (name: string, alone: number, shared: number): BenchLine => ({
    name: 'throughput',
    case: `${name}, PGD-20, ResNet-18 at ${job.side}x${job.side}, 2 workers against 1`,
    ours: shared,
    peer: alone,
    ratio: shared / alone,
    unit: 'samples/s',
    peerVersion: 'one worker',
    runs: job.rounds,
    spread: spreadOf(manyShared),
  });
  yield line('without start-up', rate(fewAlone, manyAlone), rate(fewShared, manyShared));
  yield line(`whole runs of ${job.many} samples`, job.many / median(manyAlone), job.many / median(manyShared));
}

/** The model, noise pictures without labels (the model's own answers stand in), and an experiment for each number of samples. */
async function prepareFolder(folder: string): Promise<void> {
  await mkdir(join(folder, 'images'));
  await writeFile(join(folder, 'model.onnx'), writeModel(resnet18(job.side)));
  for (let i = 0; i < job.many; i++) {
    const random = stream(0, 'throughput', i);
    const pixels = Uint8Array.from({ length: 3 * job.side ** 2 }, () => random.integer(256));
    await sharp(pixels, { raw: { width: job.side, height: job.side, channels: 3 } })
      .png()
      .toFile(join(folder, 'images', `${i}.png`));
  }
  for (const limit of [job.few, job.many]) {
    const experiment = {
      name: `throughput-${limit}`,
      model: { path: 'model.onnx' },
      data: { format: 'image-folder', path: 'images', limit },
      threat: { norm: 'linf', eps: 2 / 255 },
      attacks: [{ use: 'pgd', steps: 20, earlyStop: false }],
    };
    await writeFile(join(folder, `${limit}.yaml`), JSON.stringify(experiment));
  }
}
