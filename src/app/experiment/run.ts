/** @file The main job: finished units are kept, the rest run here or in children, and the tables are merged from all of them. */
import type { Problem } from '../../kit/data/source.ts';
import { ChildDied } from '../host/pool.ts';
import { type Crew, isBreakdown } from './crew.ts';
import type { Unit } from './plan.ts';
import { unjudged } from './rows.ts';
import type { Store } from './store.ts';
import type { UnitResult } from './unit.ts';

export interface RunOptions {
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
export async function runUnits(crew: Crew, store: Store, options: RunOptions): Promise<RunResult> {
  const { plan } = crew.overview;
  const { signal, shard } = options;
  const started = performance.now();
  const results = await Promise.all(plan.units.map((unit) => store.finished(unit)));
  const mine = plan.units.map((_, i) => i).filter((i) => shard === undefined || i % shard.n === shard.i - 1);
  for (const i of mine) if (deservesAnotherTry(results[i], crew)) results[i] = undefined;
  const resumed = results.filter((r) => r !== undefined).length;
  const pending = mine.filter((i) => results[i] === undefined);
  const shares = new Map<number, number>();
  const report = (now: string) => {
    const done = mine.reduce((sum, i) => sum + (results[i] === undefined ? (shares.get(i) ?? 0) : 1), 0);
    options.progress(done, mine.length, now);
  };
  const perform = async (i: number): Promise<void> => {
    const unit = plan.units[i]!;
    const now = `${plan.attacks[unit.attack]!.label}, samples ${unit.from + 1}-${unit.to}`;
    const result = await runWhole(crew, unit, signal, (share) => {
      shares.set(i, share);
      report(now);
    });
    await store.finish(unit, result);
    results[i] = result;
    report(now);
  };
  report('starting');
  await inTurn(pending, crew, signal, perform);
  return { units: results, resumed, seconds: (performance.now() - started) / 1000 };
}

/** A unit that broke under other limits than today's is done again. */
const deservesAnotherTry = (result: UnitResult | undefined, { limits }: Crew): boolean =>
  result?.broken !== undefined && JSON.stringify(result.broken) !== JSON.stringify(limits);

/** As many units at once as the crew has hands; the first error that is nobody's model ends the run, units under way are let finish. */
async function inTurn(pending: readonly number[], crew: Crew, signal: AbortSignal, perform: (i: number) => Promise<void>) {
  const stop = () => crew.stop?.();
  signal.addEventListener('abort', stop, { once: true });
  const queue = [...pending];
  let failed = false;
  const hand = async (): Promise<void> => {
    for (let i = queue.shift(); i !== undefined && !failed; i = queue.shift()) {
      signal.throwIfAborted();
      try {
        await perform(i);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  try {
    const outcomes = await Promise.allSettled(Array.from({ length: crew.size }, hand));
    signal.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

type Progress = (share: number) => void;

/** A unit, or what can be saved of it where the model breaks down. */
async function runWhole(crew: Crew, unit: Unit, signal: AbortSignal, progress: Progress): Promise<UnitResult> {
  try {
    return await crew.run(unit, signal, progress);
  } catch (error) {
    signal.throwIfAborted();
    if (!isBreakdown(error)) throw error;
    return inParts(crew, unit, signal);
  }
}

/** After a breakdown: every sample of the unit alone, so that only the culprit is lost. Where batch mates matter, the unit once more, whole. */
async function inParts(crew: Crew, unit: Unit, signal: AbortSignal): Promise<UnitResult> {
  const { model, plan } = crew.overview;
  const parts: UnitResult[] = [];
  const coupled = model.coupling === 'batch' || plan.attacks[unit.attack]!.coupled === true;
  const step = coupled ? unit.to - unit.from : 1;
  for (let at = unit.from; at < unit.to; at += step) {
    const part: Unit = { ...unit, key: `${unit.key}-${at}`, from: at, to: at + step };
    try {
      parts.push(await crew.run(part, signal, () => undefined));
    } catch (error) {
      signal.throwIfAborted();
      if (!isBreakdown(error)) throw error;
      parts.push(await lost(crew, part, error.message));
    }
  }
  const notes = [...new Set(parts.flatMap((p) => p.notes ?? []))];
  const { broken } = parts.find((p) => p.broken !== undefined) ?? {};
  return {
    rows: plan.budgets.flatMap((budget) => parts.flatMap((p) => p.rows.filter((row) => sameBudget(row, budget)))),
    problems: parts.flatMap((p) => p.problems),
    ...(notes.length === 0 ? {} : { notes }),
    ...(broken === undefined ? {} : { broken }),
  };
}

const sameBudget = (row: { eps: unknown; norm: unknown }, budget: { eps: unknown; norm: unknown }): boolean =>
  JSON.stringify([row.norm, row.eps]) === JSON.stringify([budget.norm, budget.eps]);

/** The rows of samples whose attack took the process down: counted, never judged. */
async function lost(crew: Crew, unit: Unit, reason: string): Promise<UnitResult> {
  const { plan, data } = crew.overview;
  const { label } = plan.attacks[unit.attack]!;
  const broken = crew.limits ?? { seconds: 0, memory: 0 };
  try {
    const { samples, problems } = await crew.names(unit);
    const rows = plan.budgets.flatMap((budget) => samples.map((sample) => unjudged(sample, label, budget, reason)));
    return { rows, problems, broken };
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    const problems = plan.items
      .slice(unit.from, unit.to)
      .map((index) => ({ item: `${data.name}, item ${index}`, reason: `reading it failed: ${error.message}` }));
    return { rows: [], problems, broken };
  }
}

/** Problems of all units, each item once. */
export function problemsOf(results: readonly (UnitResult | undefined)[]): Problem[] {
  const byItem = new Map<string, Problem>();
  for (const result of results) for (const problem of result?.problems ?? []) byItem.set(problem.item, problem);
  return [...byItem.values()];
}
