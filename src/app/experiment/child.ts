/** @file The program of a worker process: opens the experiment once, then runs units one after the other. */
import { RuntimeFailure, UserError } from '../../core/errors.ts';
import type { Model, ModelFacts } from '../../kit/model/model.ts';
import type { Reply, Request } from '../host/pool.ts';
import { nodeRuntime } from '../host/runtime.ts';
import { speakToUser } from '../host/voice.ts';
import { forwardSeconds } from './pace.ts';
import type { ExperimentFile } from './schema.ts';
import type { Task } from './task.ts';
import { type Facts, openWorkbench, type Workbench } from './workbench.ts';

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

async function open({ experiment, base, folder, threads, device }: ChildOpening): Promise<Facts> {
  const started = performance.now();
  bench = await openWorkbench(experiment, { base, folder, runtime: nodeRuntime({ threads, device }) });
  const openSeconds = (performance.now() - started) / 1000;
  return {
    model: factsOf(bench.model),
    batch: bench.batch,
    ...(bench.spikes === undefined ? {} : { spikes: bench.spikes }),
    openSeconds,
    forwardSeconds: await forwardSeconds(bench.model, bench.sessions),
  };
}

/** Named one by one: what a model holds besides may not cross to another process. */
const factsOf = ({
  name,
  inputs,
  randoms,
  classes,
  output,
  coupling,
  fixedBatch,
  inferred,
  note,
  sha256,
}: Model): ModelFacts => ({
  name,
  inputs,
  classes,
  output,
  coupling,
  inferred,
  sha256,
  ...(randoms === undefined ? {} : { randoms }),
  ...(fixedBatch === undefined ? {} : { fixedBatch }),
  ...(note === undefined ? {} : { note }),
});

async function perform(task: Task, progress: (share: number) => void): Promise<unknown> {
  if (bench === undefined) throw new Error('a task arrived before the experiment was opened');
  switch (task.kind) {
    case 'unit':
      return bench.run(task.unit, stop.signal, progress);
    case 'names': {
      const { samples, problems } = await bench.load(task.unit.from, task.unit.to);
      return { samples: samples.map(({ inputs: _, mask: __, ...name }) => name), problems };
    }
    case 'gradient': {
      const { cuts, substitutes } = await bench.sessions.gradient();
      return { cuts, substitutes };
    }
  }
}

async function answer(request: Request): Promise<void> {
  const id = request.kind === 'run' ? request.id : -1;
  try {
    if (request.kind === 'open') reply({ kind: 'ready', facts: await open(request.payload as ChildOpening) });
    else {
      const result = await perform(request.payload as Task, (share) => reply({ kind: 'progress', id, share }));
      reply({ kind: 'done', id, result });
    }
  } catch (error) {
    const { message, stack } = error as Error;
    reply({
      kind: 'failed',
      id,
      message,
      ...(error instanceof UserError ? { remedy: error.remedy } : {}),
      ...(error instanceof RuntimeFailure ? { runtime: true } : {}),
      ...(stack === undefined ? {} : { stack }),
    });
  }
}

speakToUser();
// Ctrl-C reaches the whole process group: the parent decides, the child ends when it is let go.
process.on('SIGINT', () => undefined);
process.on('message', (message) => void answer(message as Request));
process.on('disconnect', () => {
  stop.abort(new Error('the parent process has gone'));
  void (bench?.release() ?? Promise.resolve()).finally(() => process.exit(0));
});
