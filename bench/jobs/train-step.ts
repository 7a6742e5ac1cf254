/** @file `tsx bench/jobs/train-step.ts CASE [REPS [THREADS]]`: milliseconds of a training step, smallest and median, and the losses it began with. */
import { median } from '../measure.ts';
import { openTrainingJob } from './training.ts';

const [name = 'resnet18', reps = '10', threads = '2'] = process.argv.slice(2);
const opened = performance.now();
const job = await openTrainingJob(name, Number(threads));
const building = performance.now() - opened;
const losses: number[] = [];
for (let i = 0; i < 3; i++) losses.push(await job.train());
const times: number[] = [];
for (let i = 0; i < Number(reps); i++) {
  const started = performance.now();
  await job.train();
  times.push(performance.now() - started);
}
await job.trainer.release();
process.stdout.write(
  `${name}: min ${Math.min(...times).toFixed(1)} ms, median ${median(times).toFixed(1)} ms, ${times.length} steps\n`,
);
process.stdout.write(`building ${(building / 1000).toFixed(1)} s, first losses ${losses.join(' ')}\n`);
