/** @file A whole run of an experiment: opened, its unfinished units run, the tables merged and the report written. */
import { noneUsable } from '../../kit/data/none-usable.ts';
import type { Row } from '../../kit/record/row.ts';
import type { LimitOptions } from '../host/limits.ts';
import { writeReport } from '../report/from-run.ts';
import type { ChildOpening } from './child.ts';
import { openCrew } from './crew.ts';
import { mergeResults, type RunRecord, writeTables } from './results.ts';
import { problemsOf, type RunOptions, runUnits } from './run.ts';
import { type OpenOptions, openStore } from './store.ts';
import type { Overview } from './workbench.ts';

export interface Performance extends ChildOpening, OpenOptions {
  readonly name: string;
  readonly workers: number;
  readonly limits?: LimitOptions;
  readonly shard?: NonNullable<RunOptions['shard']>;
}

export interface Attending extends Pick<RunOptions, 'signal' | 'progress'> {
  /** Told once what has been opened, before anything runs. */
  opened(overview: Overview): void;
}

export interface Performed {
  readonly record: RunRecord;
  readonly rows: readonly Row[];
  /** Path of report.html. */
  readonly report: string;
}

/** Runs an experiment into its folder. Throws a UserError where it cannot be opened, or holds no sample that can be used. */
export async function performRun(order: Performance, { opened, signal, progress }: Attending): Promise<Performed> {
  const { experiment, name, folder, workers, threads, device, limits, shard, resume, overwrite } = order;
  const crew = await openCrew(order, { ...order, workers, ...(limits === undefined ? {} : { limits }) });
  const { overview } = crew;
  try {
    opened(overview);
    const store = await openStore(folder, overview.plan.sha256, { resume, overwrite });
    const run = await runUnits(crew, store, { signal, progress, ...(shard ? { shard } : {}) });
    const { record, rows } = await mergeResults({
      experiment,
      name,
      overview,
      gradient: crew.gradient,
      run,
      workers,
      threads,
      device,
    });
    if (record.counts.samples === 0 && record.state !== 'partial') {
      await store.clear();
      throw noneUsable(overview.data.name, problemsOf(run.units));
    }
    await writeTables(store, record, rows);
    return { record, rows, report: await writeReport(store.folder, record, rows) };
  } finally {
    await crew.close();
  }
}
