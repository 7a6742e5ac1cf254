/** @file The folder of a trained model: the checkpoint while training, the model with its card and page afterwards. Whatever is in it is whole. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { CheckpointStore } from '../../kit/nn/fit/task.ts';
import { readJson } from '../experiment/store.ts';
import { occupy, sweepOrphans, writableFolder, writeWhole } from '../host/files.ts';

/** Version of the folder's layout. */
export const formatVersion = 1;

/** What a training writes; nothing else in a folder is ever removed. */
export const files = {
  record: 'training.json',
  checkpoint: 'checkpoint.npz',
  weights: 'weights.npz',
  model: 'model.onnx',
  manifest: 'model.yaml',
  card: 'model-card.md',
  page: 'learning-curve.html',
} as const;

export interface Folder {
  readonly path: string;
  /** Threads of the training that is continued; undefined where one begins. */
  readonly threads?: number;
  readonly checkpoint: CheckpointStore;
  /** Writes a file whole or not at all; returns its path. */
  write(name: string, content: Uint8Array | string): Promise<string>;
  /** Lets other processes use the folder. */
  release(): Promise<void>;
}

export interface OpenOptions {
  /** Continue a training of the same recipe. */
  readonly resume: boolean;
  /** Start over, removing the training that is there. */
  readonly overwrite: boolean;
  readonly threads: number;
}

/** What says which training a folder belongs to; written before the first step. */
interface Claim {
  readonly format: number;
  readonly identity: string;
  readonly state: 'running' | 'finished';
  readonly settings: { readonly threads: number };
}

/**
 * Opens a folder for the training `identity`. Throws a UserError where that would mix two trainings in one folder, replace what no training wrote, or
 * where another process is training in it.
 */
export async function openFolder(path: string, identity: string, { resume, overwrite, threads }: OpenOptions): Promise<Folder> {
  await writableFolder(path);
  const claim = await readClaim(path);
  const checkpoint = join(path, files.checkpoint);
  // a training that ended before its first checkpoint holds nothing
  const holdsNothing = claim?.state === 'running' && !existsSync(checkpoint);
  if (claim === undefined || holdsNothing) await refuseOthers(path);
  else if (!overwrite) refuse(path, claim, identity, resume);
  const release = await occupy(path);
  try {
    await sweepOrphans(path);
    if (overwrite) for (const name of Object.values(files)) await rm(join(path, name), { force: true });
    const continued = overwrite || holdsNothing ? undefined : claim;
    if (continued === undefined) {
      const begun: Claim = { format: formatVersion, identity, state: 'running', settings: { threads } };
      await writeWhole(join(path, files.record), `${JSON.stringify(begun, null, 2)}\n`);
    }
    return {
      path,
      ...(continued === undefined ? {} : { threads: continued.settings.threads }),
      checkpoint: {
        name: checkpoint,
        read: async () => (existsSync(checkpoint) ? readFile(checkpoint) : undefined),
        write: (bytes) => writeWhole(checkpoint, bytes),
      },
      async write(name, content) {
        await writeWhole(join(path, name), content);
        return join(path, name);
      },
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Files that no training wrote, whatever they are called. */
async function refuseOthers(path: string): Promise<void> {
  const others = (await readdir(path)).filter((name) => name !== files.record && !name.endsWith('.tmp'));
  if (others.length > 0)
    throw new UserError(
      `the output folder "${path}" is not empty and holds no training (${others.slice(0, 3).join(', ')} ...)`,
      'choose an empty or new folder with --out',
    );
}

function refuse(path: string, claim: Claim, identity: string, resume: boolean): void {
  if (claim.format !== formatVersion)
    throw new UserError(
      `"${join(path, files.record)}" has format ${claim.format}, this provoke writes ${formatVersion}`,
      'choose another folder with --out, or --overwrite to replace that training',
    );
  if (claim.identity !== identity)
    throw new UserError(
      `the output folder "${path}" holds a checkpoint of another recipe (its model, data, options or seed differ)`,
      'choose another folder with --out, or --overwrite to replace that training',
    );
  if (!resume)
    throw new UserError(
      `the output folder "${path}" holds a training of this recipe already`,
      'continue it with --resume, or replace it with --overwrite',
    );
  if (!existsSync(join(path, files.checkpoint)))
    throw new UserError(
      `the training in "${path}" is finished and its ${files.checkpoint} is gone: there is nothing to go on from`,
      'train again with --overwrite, or choose another folder with --out',
    );
}

/** Whose folder it is. */
async function readClaim(path: string): Promise<Claim | undefined> {
  const file = join(path, files.record);
  if (!existsSync(file)) return undefined;
  const claim = await readJson<Partial<Claim> | null>(file);
  if (typeof claim?.identity !== 'string' || typeof claim.settings?.threads !== 'number')
    throw new UserError(`"${file}" is no training of provoke`, 'it was not written by provoke: choose another folder with --out');
  return claim as Claim;
}
