/** @file A finished run back from its directory. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Row } from '../../kit/record/row.ts';
import { formatVersion } from './format-version.ts';
import type { RunRecord } from './results.ts';
import { readJson } from './store.ts';
import type { UnitResult } from './unit.ts';

/** The record and all rows of the run in `folder`. */
export async function readRun(folder: string): Promise<{ record: RunRecord; rows: Row[] }> {
  const record = await readJson<Omit<RunRecord, 'state'> & { state: RunRecord['state'] | 'running' }>(join(folder, 'run.json'));
  if (typeof record?.format !== 'number')
    throw new UserError(`"${join(folder, 'run.json')}" is no run of provoke`, 'name the folder a run was written to');
  if (record.format !== formatVersion)
    throw new UserError(
      `${folder}: run directory of format ${record.format}, this provoke reads ${formatVersion}`,
      'read it with the version of provoke that wrote it',
    );
  if (record.state === 'running' || record.summary === undefined)
    throw new UserError(`the run in "${folder}" is not finished`, 'finish it with provoke run ... --resume');
  const order = new Map(record.attacks.map((a, i) => [a.label, i]));
  const units = [];
  for (const name of await readdir(join(folder, 'units'))) {
    if (name.endsWith('.json')) units.push(JSON.parse(await readFile(join(folder, 'units', name), 'utf8')) as UnitResult);
  }
  const rows = units.flatMap((u) => u.rows);
  rows.sort(
    (a, b) =>
      order.get(a.attack)! - order.get(b.attack)! ||
      epsOf(a) - epsOf(b) ||
      (a.sample < b.sample ? -1 : a.sample > b.sample ? 1 : 0),
  );
  return { record: record as RunRecord, rows };
}

const epsOf = (row: Row): number => Object.values(row.eps)[0] ?? 0;
