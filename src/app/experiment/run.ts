/** @file The main job: finished units are kept, the rest run here or in children, and the tables are merged from all of them. */
import { UserError } from '../../core/errors.ts';
import type { Problem } from '../../kit/data/source.ts';
import { ChildDied, createPool } from '../host/pool.ts';
import type { ChildOpening } from './child.ts';
import type { Unit } from './plan.ts';
import type { Store } from './store.ts';
import { type UnitResult, unjudged } from './unit.ts';
import type { Workbench } from './workbench.ts';

export interface RunOptions {
  /** Child processes; 1 runs the units in this process. */
  readonly workers: number;
  /** What a child needs to open the same workbench; used with more than one worker. */
  readonly opening: ChildOpening;
  /** Units of this share only: i of n, counted from 1. */
  readonly shard?: { readonly i: number; readonly n: number };
  readonly signal: AbortSignal;
  /** Called whenever a unit moves on: finished units and their shares, out of all. */
  progress(done: number, of: number, now: string): void;
}

export interface RunResult {
  /** Results of the units of this run in plan order; undefined for those of other shards that are not there yet. */
  readonly units: readonly (UnitResult | undefined)[];
  readonly resumed: number;
  readonly seconds: number;
}

/** Runs what is not finished yet. On abort, finished units are kept and the signal's reason is thrown. */
export async function runUnits(bench: Workbench, store: Store, options: RunOptions): Promise<RunResult> {
  const { plan } = bench;
  const { signal, shard, workers } = options;
  const started = performance.now();
  const results = await Promise.all(plan.units.map((unit) => store.finished(unit)));
  const resumed = results.filter((r) => r !== undefined).length;
  const mine = plan.units.map((_, i) => i).filter((i) => shard === undefined || i % shard.n === shard.i - 1);
  const pending = mine.filter((i) => results[i] === undefined);
  const shares = new Map<number, number>();
  const report = (now: string) => {
    const done = mine.reduce((sum, i) => sum + (results[i] === undefined ? (shares.get(i) ?? 0) : 1), 0);
    options.progress(done, mine.length, now);
  };
  const perform = async (
    i: number,
    run: (unit: Unit, progress: (share: number) => void) => Promise<UnitResult>,
  ): Promise<void> => {
    const unit = plan.units[i]!;
    const now = `${plan.attacks[unit.attack]!.label}, samples ${unit.from + 1}-${unit.to}`;
    const result = await run(unit, (share) => {
      shares.set(i, share);
      report(now);
    });
    await store.finish(unit, result);
    results[i] = result;
    report(now);
  };
  report('starting');
  if (workers === 1) {
    for (const i of pending) {
      signal.throwIfAborted();
      await perform(i, (unit, progress) => bench.run(unit, signal, progress));
    }
  } else if (pending.length > 0) {
    await inChildren(bench, pending, options, perform);
  }
  return { units: results, resumed, seconds: (performance.now() - started) / 1000 };
}

type Perform = (i: number, run: (unit: Unit, progress: (share: number) => void) => Promise<UnitResult>) => Promise<void>;

async function inChildren(bench: Workbench, pending: readonly number[], options: RunOptions, perform: Perform): Promise<void> {
  const pool = createPool<Unit, UnitResult>(new URL(`./child.js`, import.meta.url), {
    workers: Math.min(options.workers, pending.length),
    open: options.opening,
    revive: ({ message, remedy, stack }) =>
      remedy === undefined ? Object.assign(new Error(message), { stack }) : new UserError(message, remedy),
  });
  const stop = () => void pool.close();
  options.signal.addEventListener('abort', stop, { once: true });
  const run = async (unit: Unit, progress: (share: number) => void): Promise<UnitResult> => {
    try {
      return await pool.run(unit, progress);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof ChildDied)) throw error;
      return oneByOne(bench, unit, (single) => pool.run(single, () => undefined), options.signal);
    }
  };
  try {
    const outcomes = await Promise.allSettled(pending.map((i) => perform(i, run)));
    options.signal.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    options.signal.removeEventListener('abort', stop);
    await pool.close();
  }
}

/** After a crash: every sample of the unit alone, so that only the culprit is lost. */
async function oneByOne(
  bench: Workbench,
  unit: Unit,
  run: (unit: Unit) => Promise<UnitResult>,
  signal: AbortSignal,
): Promise<UnitResult> {
  const parts: UnitResult[] = [];
  for (let at = unit.from; at < unit.to; at++) {
    const single: Unit = { ...unit, key: `${unit.key}-${at}`, from: at, to: at + 1 };
    try {
      parts.push(await run(single));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ChildDied)) throw error;
      parts.push(await crashed(bench, single, error.message));
    }
  }
  const rows = bench.plan.budgets.flatMap((_, step) => parts.flatMap((part) => part.rows[step] ?? []));
  return { rows, problems: parts.flatMap((p) => p.problems) };
}

/** The rows of a sample whose attack took the process down: counted, never judged. */
async function crashed(bench: Workbench, unit: Unit, reason: string): Promise<UnitResult> {
  const { samples, problems } = await bench.load(unit.from, unit.to);
  const { label } = bench.plan.attacks[unit.attack]!;
  const rows = samples.flatMap((sample) => bench.plan.budgets.map((budget) => unjudged(sample, label, budget, reason)));
  return { rows, problems };
}

/** Problems of all units, each item once. */
export function problemsOf(results: readonly (UnitResult | undefined)[]): Problem[] {
  const byItem = new Map<string, Problem>();
  for (const result of results) for (const problem of result?.problems ?? []) byItem.set(problem.item, problem);
  return [...byItem.values()];
}
