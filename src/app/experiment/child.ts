/** @file The program of a worker process: opens the experiment once, then runs units one after the other. */
import { UserError } from '../../core/errors.ts';
import type { Reply, Request } from '../host/pool.ts';
import { nodeRuntime } from '../host/runtime.ts';
import type { Unit } from './plan.ts';
import type { ExperimentFile } from './schema.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

export interface ChildOpening {
  readonly experiment: ExperimentFile;
  readonly base: string;
  readonly folder: string;
  readonly threads: number;
  readonly device: string;
}

let bench: Workbench | undefined;
const stop = new AbortController();

/** A parent that is gone needs no answer: 'disconnect' ends this process. */
const reply = (message: Reply): void => {
  process.send?.(message, undefined, undefined, () => undefined);
};

async function answer(request: Request): Promise<void> {
  const id = request.kind === 'run' ? request.id : -1;
  try {
    if (request.kind === 'open') {
      const { experiment, base, folder, threads, device } = request.payload as ChildOpening;
      bench = await openWorkbench(experiment, { base, folder, runtime: nodeRuntime({ threads, device }) });
      reply({ kind: 'ready' });
    } else {
      if (bench === undefined) throw new Error('a unit arrived before the experiment was opened');
      const result = await bench.run(request.payload as Unit, stop.signal, (share) => reply({ kind: 'progress', id, share }));
      reply({ kind: 'done', id, result });
    }
  } catch (error) {
    const { message, stack } = error as Error;
    reply({
      kind: 'failed',
      id,
      message,
      ...(error instanceof UserError ? { remedy: error.remedy } : {}),
      ...(stack === undefined ? {} : { stack }),
    });
  }
}

// Ctrl-C reaches the whole process group: the parent decides, the child ends when it is let go.
process.on('SIGINT', () => undefined);
process.on('message', (message) => void answer(message as Request));
process.on('disconnect', () => {
  stop.abort(new Error('the parent process has gone'));
  void bench?.release().finally(() => process.exit(0));
});
