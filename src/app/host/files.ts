/** @file Files: read with errors a user can act on, written under a temporary name and renamed, so that nothing is ever half there. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { access, constants, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { FileTree } from '../../kit/data/source.ts';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The bytes of a file a user named. */
export async function readUserFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    switch (codeOf(cause)) {
      case 'ENOENT':
        throw new UserError(`${what} "${path}" does not exist`, `check the path (looked in ${resolve(path)})`, { cause });
      case 'EISDIR':
        throw new UserError(`${what} "${path}" is a folder, a file is needed`, 'name the file itself', { cause });
      case 'EACCES':
      case 'EPERM':
        throw new UserError(`${what} "${path}" may not be read`, 'check its permissions', { cause });
      default:
        throw new UserError(`${what} "${path}" cannot be read: ${(cause as Error).message}`, 'check the path and the disk', {
          cause,
        });
    }
  }
}

/**
 * The bytes of a data file a model names, which has to be a plain file inside the model's folder once all links are followed (or beside the file
 * the model itself is a link to). A model may not name any other file of the machine.
 */
export async function readDataFile(model: string, location: string): Promise<Uint8Array> {
  const path = join(dirname(model), location);
  const what = 'the external data file';
  const real = await realpath(path).catch(() => undefined);
  // what is not there, or may not be looked at, is refused in words
  if (real === undefined) return readUserFile(path, what);
  const folders = [await realpath(dirname(model)), dirname(await realpath(model))];
  if (!folders.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    throw new UserError(
      `${what} "${path}" is a link to "${real}", outside the folder of the model`,
      'put the file itself beside the model (cp -L copies what a link leads to)',
    );
  const info = await stat(real);
  if (!info.isFile() && !info.isDirectory())
    throw new UserError(`${what} "${path}" is not a plain file`, 'put the file with the weights beside the model');
  return readUserFile(real, what);
}

/** What a file is written from: all of it, or pieces in order as they come. */
export type Content = Uint8Array | string | AsyncIterable<Uint8Array | string>;

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, content: Content): Promise<void> {
  const temporary = `${path}${temporaryOf(process.pid)}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content, { flush: true });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(path, cause);
  }
}

/**
 * Makes a folder whole or not at all: `fill` writes into one of a temporary name. What was at `path` is replaced if it is an empty folder, or
 * `replace` says so.
 */
export async function makeFolder(path: string, fill: (folder: string) => Promise<void>, replace = false): Promise<void> {
  const [temporary, aside] = [`${path}${temporaryOf(process.pid)}`, `${path}.old${temporaryOf(process.pid)}`];
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(temporary);
    await fill(temporary);
    if (replace) {
      await rename(path, aside).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw unwritable(path, cause);
  }
  await rm(aside, { recursive: true, force: true });
}

/** How the names of files end that a process is writing: machines that share a folder do not take each other's for those of a dead one. */
const temporaryOf = (pid: number): string => `.${hostname()}.${pid}.tmp`;

/** Removes what a process that was killed had begun to write below a folder. */
export const sweepTemporary = (folder: string, pid: number): Promise<void> =>
  sweep(folder, (name) => name.endsWith(temporaryOf(pid)));

/** Removes what processes of this machine that are no more had begun to write below a folder. */
export const sweepOrphans = (folder: string): Promise<void> =>
  sweep(folder, (name) => {
    const pid = Number(/\.(\d+)\.tmp$/.exec(name)?.[1]);
    return name.endsWith(temporaryOf(pid)) && !isRunning(pid);
  });

async function sweep(folder: string, isLeft: (name: string) => boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of entries) if (isLeft(name)) await rm(join(folder, name), { force: true });
}

/** Whether a process exists; signal 0 only asks. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Marks a folder as in use by this process until the returned function is called; the mark of a process that was killed counts for nothing. Throws a
 * UserError where another process of this machine uses it.
 */
export async function occupy(folder: string): Promise<() => Promise<void>> {
  const mark = join(folder, `in-use${temporaryOf(process.pid)}`);
  const leave = () => rm(mark, { force: true });
  await writeFile(mark, '').catch((cause: unknown) => {
    throw unwritable(mark, cause);
  });
  for (const name of await readdir(folder)) {
    const pid = Number(/^in-use\..*\.(\d+)\.tmp$/.exec(name)?.[1]);
    if (pid === process.pid || name !== `in-use${temporaryOf(pid)}` || !isRunning(pid)) continue;
    await leave();
    throw new UserError(
      `process ${pid} is writing to the folder "${folder}"`,
      `wait until it is done, end it, or choose another folder with --out (if that process is something else, remove ${name})`,
    );
  }
  return leave;
}

/** Makes a folder and proves that it can be written to. */
export async function writableFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): unknown {
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'part of the path is a file',
    EEXIST: 'a file of that name is in the way',
    ENOTEMPTY: 'it is not empty',
    EISDIR: 'a folder of that name is in the way',
    ENAMETOOLONG: 'the name is too long',
    // what making a folder on a read-only file system ends with
    ENOENT: 'the folder it belongs in cannot be made',
  };
  const reason = reasons[codeOf(cause) ?? ''];
  return reason === undefined
    ? cause
    : new UserError(`"${path}" cannot be written: ${reason}`, 'choose another place with --out', { cause });
}

export const sha256 = (...parts: readonly (Uint8Array | string)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

const leadsToFile = async (link: Dirent): Promise<boolean> =>
  (await stat(join(link.parentPath, link.name)).catch(() => undefined))?.isFile() === true;

/** The files below a folder, links to files among them, for loaders that know no file system. Files starting with a dot are left out. */
export function fileTree(root: string): FileTree {
  return {
    root,
    async list() {
      try {
        const entries = await readdir(root, { recursive: true, withFileTypes: true });
        const files = await Promise.all(entries.map((e) => e.isFile() || (e.isSymbolicLink() && leadsToFile(e))));
        return entries
          .filter((e, i) => files[i] && !e.name.startsWith('.'))
          .map((e) =>
            join(e.parentPath, e.name)
              .slice(root.length)
              .split(sep)
              .filter((part) => part !== '')
              .join('/'),
          )
          .sort();
      } catch (cause) {
        if (codeOf(cause) === 'ENOENT')
          throw new UserError(`the data folder "${root}" does not exist`, `check the path (looked in ${resolve(root)})`, {
            cause,
          });
        if (codeOf(cause) === 'ENOTDIR')
          throw new UserError(`"${root}" is a file, a folder is needed`, 'name the folder', { cause });
        throw cause;
      }
    },
    read: (path) => readUserFile(join(root, path), 'the data file'),
  };
}
