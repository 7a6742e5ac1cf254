/** @file Child processes that run units: a thread could not be stopped without taking the process down. */
import { type ChildProcess, fork } from 'node:child_process';

/** What a child is told, and what it answers. */
export type Request =
  | { readonly kind: 'open'; readonly payload: unknown }
  | { readonly kind: 'run'; readonly id: number; readonly payload: unknown };
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly id: number; readonly share: number }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly remedy?: string; readonly stack?: string };

/** A job's child ended before it answered. */
export class ChildDied extends Error {
  override readonly name = 'ChildDied';
}

export interface Pool<Task, Result> {
  /** Runs a task in the next free child. Rejects with ChildDied when its child ends; the child is replaced. */
  run(task: Task, progress: (share: number) => void): Promise<Result>;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly workers: number;
  /** Sent to every child before its first task. */
  readonly open: unknown;
  readonly revive: (failure: Extract<Reply, { kind: 'failed' }>) => Error;
}

interface Worker {
  child: ChildProcess | undefined;
  ready: Promise<void> | undefined;
  busy: boolean;
}

/** A pool of children running the module at `script`. */
export function createPool<Task, Result>(script: URL, { workers, open, revive }: PoolOptions): Pool<Task, Result> {
  const crew: Worker[] = Array.from({ length: workers }, () => ({ child: undefined, ready: undefined, busy: false }));
  const waiting: ((worker: Worker) => void)[] = [];
  let next = 0;

  const start = (worker: Worker): Promise<void> => {
    const child = fork(script, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    worker.child = child;
    child.once('exit', () => {
      if (worker.child === child) worker.child = undefined;
    });
    return converse(child, { kind: 'open', payload: open } satisfies Request, revive, (reply) => reply.kind === 'ready').then(
      () => undefined,
    );
  };
  const acquire = (): Promise<Worker> => {
    const free = crew.find((w) => !w.busy);
    if (free === undefined) return new Promise((resolve) => waiting.push(resolve));
    free.busy = true;
    return Promise.resolve(free);
  };
  const release = (worker: Worker) => {
    const waiter = waiting.shift();
    if (waiter) waiter(worker);
    else worker.busy = false;
  };
  return {
    async run(task, progress) {
      const worker = await acquire();
      try {
        if (worker.child === undefined) worker.ready = start(worker);
        await worker.ready;
        const id = next++;
        const request: Request = { kind: 'run', id, payload: task };
        const reply = await converse(worker.child!, request, revive, (r) => {
          if (r.kind === 'progress' && r.id === id) progress(r.share);
          return r.kind === 'done' && r.id === id;
        });
        return (reply as Extract<Reply, { kind: 'done' }>).result as Result;
      } finally {
        release(worker);
      }
    },
    async close() {
      await Promise.all(
        crew.map(async ({ child }) => {
          if (child === undefined || child.exitCode !== null) return;
          const ended = new Promise((resolve) => child.once('exit', resolve));
          child.disconnect();
          await ended;
        }),
      );
    },
  };
}

/** Sends a request and waits for the reply `isLast` accepts, a failure, or the child's end. */
function converse(
  child: ChildProcess,
  request: Request,
  revive: PoolOptions['revive'],
  isLast: (reply: Reply) => boolean,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      finish();
    };
    const onMessage = (message: unknown) => {
      const reply = message as Reply;
      if (reply.kind === 'failed') settle(() => reject(revive(reply)));
      else if (isLast(reply)) settle(() => resolve(reply));
    };
    const onExit = (code: number | null, signal: string | null) => {
      settle(() => reject(new ChildDied(`a worker process ended ${signal === null ? `with code ${code}` : `by ${signal}`}`)));
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.send(request, (error) => {
      if (error) settle(() => reject(new ChildDied(`a worker process cannot be reached: ${error.message}`)));
    });
  });
}
