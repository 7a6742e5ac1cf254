/** @file Child processes that run units: a thread could not be stopped without taking the process down. */
import { type ChildProcess, fork } from 'node:child_process';
import { describeEnd, type End } from './limits.ts';
import { type Ending, endOf, stdio } from './voice.ts';
import { type Watch, watch } from './watch.ts';

/** What a child is told, and what it answers. */
export type Request =
  | { readonly kind: 'open'; readonly payload: unknown }
  | { readonly kind: 'run'; readonly id: number; readonly payload: unknown };
export type Reply =
  | { readonly kind: 'ready'; readonly facts: unknown }
  | { readonly kind: 'progress'; readonly id: number; readonly share: number }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly message: string;
      readonly remedy?: string;
      readonly stack?: string;
      /** The runtime refused, not provoke. */
      readonly runtime?: true;
    };

/** A job's child ended before it answered, or was ended because it took too much. */
export class ChildDied extends Error {
  override readonly name = 'ChildDied';
  constructor(
    readonly end: End,
    readonly remedy: string = describeEnd(end).remedy,
  ) {
    super(describeEnd(end).reason);
  }
}

export interface TaskOptions {
  /** The child is killed when it has not answered by then; 0: never. */
  readonly seconds: number;
  progress?(share: number): void;
}

export interface Pool<Task, Facts> {
  /** Starts the first child and returns what it found when it opened. */
  open(): Promise<Facts>;
  /** Runs a task in the next free child. Rejects with ChildDied when its child ends; the child is replaced. */
  run(task: Task, options: TaskOptions): Promise<unknown>;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly workers: number;
  /** Sent to every child before its first task. */
  readonly open: unknown;
  /** Seconds a child has to open; 0: no limit. */
  readonly openSeconds: number;
  /** Bytes of memory a child may take; 0: no limit. */
  readonly memory: number;
  readonly revive: (failure: Extract<Reply, { kind: 'failed' }>) => Error;
  /** Called with the id of a child that was killed or crashed: it may have left temporary files. */
  readonly bury: (pid: number) => Promise<void>;
}

/** Seconds a child gets to end by itself when the pool is closed. */
export const defaults = { grace: 2 } as const;

interface Hand {
  readonly child: ChildProcess;
  readonly watch: Watch;
  readonly end: Promise<Ending>;
  /** Ended, and nothing left behind. */
  readonly gone: Promise<void>;
}

interface Worker {
  hand: Hand | undefined;
  facts: Promise<unknown> | undefined;
  busy: boolean;
}

/** A pool of children running the module at `script`. */
export function createPool<Task, Facts>(script: URL, options: PoolOptions): Pool<Task, Facts> {
  const { workers, open, openSeconds, memory, revive, bury } = options;
  const crew: Worker[] = Array.from({ length: workers }, () => ({ hand: undefined, facts: undefined, busy: false }));
  const waiting: ((worker: Worker) => void)[] = [];
  let [next, closed] = [0, false];

  const start = async (worker: Worker): Promise<unknown> => {
    const child = fork(script, [], { stdio: [...stdio], serialization: 'advanced' });
    const end = endOf(child).finally(() => {
      if (worker.hand?.child === child) worker.hand = undefined;
    });
    const gone = end.then(({ code }) => (code === 0 ? undefined : bury(child.pid!)));
    const hand = { child, watch: watch(child, memory), end, gone };
    worker.hand = hand;
    const request: Request = { kind: 'open', payload: open };
    const reply = await converse(hand, request, { revive, seconds: openSeconds, isLast: (r) => r.kind === 'ready' });
    return (reply as Extract<Reply, { kind: 'ready' }>).facts;
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
  const withWorker = async <T>(use: (worker: Worker) => Promise<T>): Promise<T> => {
    const worker = await acquire();
    try {
      if (closed) throw new Error('the pool of child processes is closed');
      if (worker.hand === undefined) worker.facts = start(worker);
      await worker.facts;
      return await use(worker);
    } finally {
      release(worker);
    }
  };
  return {
    open: () => withWorker(async (worker) => (await worker.facts) as Facts),
    run: (task, { seconds, progress }) =>
      withWorker(async (worker) => {
        const id = next++;
        const isLast = (r: Reply) => {
          if (r.kind === 'progress' && r.id === id) progress?.(r.share);
          return r.kind === 'done' && r.id === id;
        };
        const reply = await converse(worker.hand!, { kind: 'run', id, payload: task }, { revive, seconds, isLast });
        return (reply as Extract<Reply, { kind: 'done' }>).result;
      }),
    async close() {
      closed = true;
      await Promise.all(
        crew.map(async ({ hand }) => {
          if (hand === undefined) return;
          const { child, gone } = hand;
          if (child.connected) child.disconnect();
          const timer = setTimeout(() => child.kill('SIGKILL'), 1000 * defaults.grace);
          await gone;
          clearTimeout(timer);
        }),
      );
    },
  };
}

interface Terms {
  readonly revive: PoolOptions['revive'];
  readonly seconds: number;
  isLast(reply: Reply): boolean;
}

/** Sends a request and waits for the reply `isLast` accepts, a failure, or the child's end. */
function converse({ child, watch, end }: Hand, request: Request, { revive, seconds, isLast }: Terms): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      watch.rest();
      child.off('message', onMessage);
      finish();
    };
    const onMessage = (message: unknown) => {
      const reply = message as Reply;
      if (reply.kind === 'failed') settle(() => reject(revive(reply)));
      else if (isLast(reply)) settle(() => resolve(reply));
    };
    watch.allow(seconds);
    child.on('message', onMessage);
    void end.then((how) => settle(() => reject(new ChildDied(watch.breach ?? { kind: 'crash', ...how }))));
    child.send(request, (error) => {
      // a child that cannot be reached is ending: its end says why
      if (error) child.kill('SIGKILL');
    });
  });
}
