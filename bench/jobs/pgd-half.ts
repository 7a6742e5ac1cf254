/** @file A child process with one compute thread: an attack on half the batch for each message, answered when it is done. */
import { openPgdJob, pgdJob } from './pgd-resnet18.ts';

const job = await openPgdJob(1, pgdJob.batch / 2);
process.on('message', async () => {
  await job.attack();
  process.send!('done');
});
process.send!('ready');
