/** @file A command that meets a model nobody has vouched for runs in a process of its own: what crashes, hangs or eats memory there ends with one error here. */
import { fork } from 'node:child_process';
import { UserError } from '../../core/errors.ts';
import type { ModelReference } from '../experiment/schema.ts';
import { defaults, describeEnd, type LimitOptions, memoryLimit } from '../host/limits.ts';
import { nameOf } from '../host/model-name.ts';
import { refusalOf } from '../host/refusal.ts';
import { endOf, stdio } from '../host/voice.ts';
import { watch } from '../host/watch.ts';
import { Interrupted } from './interrupt.ts';

export interface Guarded {
  readonly reference: ModelReference;
  /** What the user asked for; undefined where nothing was said. */
  readonly limits: LimitOptions | undefined;
  /** What is done with the model, where an error should say it. */
  readonly task?: string;
}

/** Gives the action that many seconds from now on, where the user set no limit. */
export type Allow = (seconds: number) => void;

/** Runs the action here or in a process of its own, and returns the command's exit code. */
export type Guard = (what: Guarded, action: (allow: Allow) => Promise<void>) => Promise<number>;

/** What the process inside tells the one outside. */
export type Notice = { readonly kind: 'allow'; readonly seconds: number } | { readonly kind: 'ended'; readonly code: number };

/** For the process the user started: built-in models are dealt with here, all others in a child that is given the same command line. */
export const outside =
  (argv: readonly string[]): Guard =>
  async ({ reference, limits, task }, action) => {
    // loaded here: commands that meet no model start without the engine
    const { isBuiltin } = await import('../host/models.ts');
    if (isBuiltin(reference) && limits === undefined) {
      await naming(reference, () => action(() => undefined));
      return 0;
    }
    const { seconds, memory } = limits ?? { seconds: 'auto', memory: 'auto' };
    const child = fork(new URL('./inside.js', import.meta.url), [...argv], { stdio: [...stdio] });
    const ending = endOf(child);
    const clock = watch(child, memoryLimit(memory));
    clock.allow(seconds === 'auto' ? defaults.opening : seconds);
    let [ended, interrupted] = [-1, false];
    child.on('message', (message) => {
      const notice = message as Notice;
      if (notice.kind === 'ended') ended = notice.code;
      else if (seconds === 'auto') clock.allow(notice.seconds);
    });
    const onSignal = () => {
      interrupted = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 2000).unref();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    const how = await ending;
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    if (ended >= 0) return ended;
    if (interrupted) throw new Interrupted('interrupted');
    const { reason, remedy } = describeEnd(clock.breach ?? { kind: 'crash', ...how });
    throw new UserError(
      `the model "${nameOf(reference)}" cannot be used${task === undefined ? '' : ` (${task})`}: ${reason}`,
      remedy,
    );
  };

/** What the runtime says against a model, said of that model. */
async function naming(reference: ModelReference, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw refusalOf(error, reference);
  }
}

/** For the process inside: it does what it was started for. */
export const inside: Guard = async ({ reference }, action) => {
  await naming(reference, () => action((seconds) => tell({ kind: 'allow', seconds })));
  return 0;
};

/** Sends a notice to the process outside. */
export const tell = (notice: Notice): void => void process.send?.(notice);
