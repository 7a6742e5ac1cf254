/** @file The place a corpus is to be made at: nothing is overwritten that the user has not said may be, and nothing that is not a corpus. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { sequenceIndexName } from '../../kit/data/sequence-index.ts';
import { shapeNames } from '../../kit/data/synth/events/objects/shapes.ts';
import { splitNames } from '../../kit/data/synth/splits.ts';
import { noteInFolder } from '../../kit/data/synthetic-note.ts';
import { readUserFile } from '../host/files.ts';

/** Refuses what would overwrite something, before any work is done. A folder is replaced only where a corpus is all it holds. */
export async function refuseTaken(path: string, force: boolean, what: 'file' | 'folder', option = '--out'): Promise<void> {
  if (!existsSync(path)) return;
  const isFolder = (await stat(path)).isDirectory();
  if (isFolder !== (what === 'folder'))
    throw new UserError(
      `"${path}" is a ${isFolder ? 'folder, and a file' : 'file, and a folder'} is to be made`,
      `choose another place with ${option}`,
    );
  if (isFolder && resolve(path) === process.cwd())
    throw new UserError('the folder you are in cannot be made anew', 'name a folder in it, e.g. --out corpus');
  const inside = isFolder ? await readdir(path) : [path];
  if (inside.length === 0) return;
  if (!force) throw new UserError(`"${path}" exists`, `choose another place with ${option}, or --force to replace it`);
  const foreign = isFolder ? await othersIn(path, inside) : [];
  if (foreign.length > 0)
    throw new UserError(
      `"${path}" holds what provoke synth did not make (${foreign.slice(0, 3).join(', ')}): it stays`,
      'choose another place with --out, or empty the folder yourself',
    );
}

/** What a corpus with a note of its own consists of, by its name. */
const contents: Readonly<Record<string, RegExp>> = {
  gestures: /^(user\d\d_[a-z_]+(\.aedat|_labels\.csv)|trials_to_(train|test)\.txt)$/,
  saccades: /^(Train|Test)$/,
  objects: new RegExp(`^(${shapeNames.join('|')})$`),
  pictures: /^(data_batch_\d|test_batch)\.bin$|^batches\.meta\.txt$/,
};

/** What in a folder belongs to no corpus this command makes. */
async function othersIn(folder: string, inside: readonly string[]): Promise<string[]> {
  const isNoted = (name: string) => existsSync(join(folder, name, noteInFolder));
  const maker = async (file: string) =>
    inside.includes(file)
      ? /"by":\s*"provoke synth (\w+)/.exec(new TextDecoder().decode(await readUserFile(join(folder, file), 'the note')))?.[1]
      : undefined;
  const ofSequences =
    (await maker(sequenceIndexName)) === undefined ? [] : [sequenceIndexName, ...splitNames.map((split) => `${split}.npz`)];
  const ofFaces = splitNames.filter(isNoted);
  const pattern = contents[(await maker(noteInFolder)) ?? ''];
  const ofNoted = pattern === undefined ? [] : inside.filter((name) => name === noteInFolder || pattern.test(name));
  const own = new Set<string>([...ofSequences, ...ofFaces, ...ofNoted]);
  return inside.filter((name) => !own.has(name));
}
