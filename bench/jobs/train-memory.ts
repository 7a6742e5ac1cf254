/** @file A process of its own: a few training steps of a case, then the most memory it ever held (MB), on standard output. */
import { openTrainingJob } from './training.ts';

const [name = 'resnet18', threads = '2', steps = '5'] = process.argv.slice(2);
const job = await openTrainingJob(name, Number(threads));
for (let i = 0; i < Number(steps); i++) await job.train();
await job.trainer.release();
process.stdout.write(`${(process.resourceUsage().maxRSS / 1024).toFixed(1)}\n`);
