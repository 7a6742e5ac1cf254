/** @file A whole run of an experiment: opened, its unfinished units run, the tables merged and the report written. */
import { UserError } from '../../core/errors.ts';
import type { Row } from '../../kit/record/row.ts';
import type { LimitOptions } from '../host/limits.ts';
import { writeReport } from '../report/from-run.ts';
import type { ChildOpening } from './child.ts';
import { openCrew } from './crew.ts';
import { mergeResults, type RunRecord, writeTables } from './results.ts';
import { type RunOptions, runUnits } from './run.ts';
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
    refuseEmpty(record, overview);
    await writeTables(store, record, rows);
    return { record, rows, report: await writeReport(store.folder, record, rows) };
  } finally {
    await crew.close();
  }
}

function refuseEmpty(record: RunRecord, overview: Overview): void {
  if (record.counts.samples > 0 || record.state === 'partial') return;
  const first = record.problems[0];
  throw new UserError(
    first === undefined
      ? `${overview.data.name} holds no samples`
      : `none of the ${record.problems.length} samples of ${overview.data.name} can be used; the first: ${first.item}: ${first.reason}`,
    'mend the data, or name others under `data:`',
  );
}
