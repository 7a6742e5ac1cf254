/** @file The run directory: finished units, examples, the merged tables. Whatever is in it is whole. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { readUserFile, sweepOrphans, writableFolder, writeWhole } from '../host/files.ts';
import { formatVersion } from './format-version.ts';
import type { Unit } from './plan.ts';
import type { UnitResult } from './unit.ts';

export interface Store {
  readonly folder: string;
  path(...parts: string[]): string;
  /** The result of a finished unit, or undefined. */
  finished(unit: Unit): Promise<UnitResult | undefined>;
  finish(unit: Unit, result: UnitResult): Promise<void>;
  write(name: string, content: Uint8Array | string): Promise<void>;
  /** Removes what the run wrote; the folder stays. */
  clear(): Promise<void>;
}

export interface OpenOptions {
  /** Continue a run of the same experiment. */
  readonly resume: boolean;
  /** Start over, removing the run that is there. */
  readonly overwrite: boolean;
}

/** Only what says which experiment a folder belongs to; written first, before any unit. */
interface Claim {
  readonly format: number;
  readonly identity: string;
}

const claimFile = 'run.json';
/** What a run writes; nothing else in a folder is ever removed. */
const owned = ['run.json', 'samples.parquet', 'report.html', 'units', 'adversarial'];

const clear = async (folder: string): Promise<void> => {
  for (const name of owned) await rm(join(folder, name), { recursive: true, force: true });
};

/** Opens a run directory for the experiment `sha256`, refusing to mix two experiments in one folder. */
export async function openStore(folder: string, sha256: string, { resume, overwrite }: OpenOptions): Promise<Store> {
  await writableFolder(folder);
  const claim = await readClaim(folder);
  const others = (await readdir(folder)).filter((name) => !owned.includes(name) && !name.endsWith('.tmp'));
  if (claim === undefined && others.length > 0) {
    throw new UserError(
      `the output folder "${folder}" is not empty and holds no run (${others.slice(0, 3).join(', ')} ...)`,
      'choose an empty or new folder with --out',
    );
  }
  if (claim !== undefined && overwrite) await clear(folder);
  else if (claim !== undefined && claim.format !== formatVersion) {
    throw new UserError(
      `the output folder "${folder}" holds a run of format ${claim.format}, this provoke writes ${formatVersion}`,
      'go on with the version of provoke that wrote it, choose another folder with --out, or --overwrite to replace that run',
    );
  } else if (claim !== undefined && claim.identity !== sha256) {
    throw new UserError(
      `the output folder "${folder}" holds another experiment's run (its model, data, attacks, budgets or seed differ)`,
      'choose another folder with --out, or --overwrite to replace that run',
    );
  } else if (claim !== undefined && !resume) {
    throw new UserError(
      `the output folder "${folder}" holds a run of this experiment already`,
      'continue it with --resume, or replace it with --overwrite',
    );
  }
  if (resume) await sweepOrphans(folder);
  const path = (...parts: string[]) => join(folder, ...parts);
  const unitFile = (unit: Unit) => path('units', `${unit.key}.json`);
  const store: Store = {
    folder,
    path,
    write: (name, content) => writeWhole(path(name), content),
    async finished(unit) {
      if (!existsSync(unitFile(unit))) return undefined;
      const text = await readFile(unitFile(unit), 'utf8');
      // a power cut can leave a renamed file without its content: that unit is not finished
      return isJson(text) ? (JSON.parse(text) as UnitResult) : undefined;
    },
    finish: (unit, result) => writeWhole(unitFile(unit), JSON.stringify(result)),
    clear: () => clear(folder),
  };
  if (claim === undefined || overwrite)
    await store.write(claimFile, JSON.stringify({ format: formatVersion, identity: sha256, state: 'running' }));
  return store;
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

async function readClaim(folder: string): Promise<Claim | undefined> {
  const file = join(folder, claimFile);
  if (!existsSync(file)) return undefined;
  const claim = await readJson<Partial<Claim> | null>(file);
  if (typeof claim?.identity !== 'string')
    throw new UserError(`"${file}" is no run of provoke`, 'it was not written by provoke: choose another folder with --out');
  return claim as Claim;
}

/** A file of a run directory as JSON. */
export async function readJson<T>(file: string): Promise<T> {
  const text = new TextDecoder().decode(await readUserFile(file, 'the run record'));
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new UserError(`"${file}" is not readable as JSON`, 'it was not written by provoke: choose another folder with --out', {
      cause,
    });
  }
}
