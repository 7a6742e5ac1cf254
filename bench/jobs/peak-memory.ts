/** @file A process of its own: three attacks of the PGD job, then the most memory it ever held (MB), on standard output. */
import { openPgdJob } from './pgd-resnet18.ts';

const job = await openPgdJob(Number(process.argv[2]));
for (let i = 0; i < 3; i++) await job.attack();
await job.release();
process.stdout.write(`${(process.resourceUsage().maxRSS / 1024).toFixed(1)}\n`);
