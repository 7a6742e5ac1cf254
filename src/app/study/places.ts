/** @file Where the data of a study lie: a path the user gives, the path in the file, or a generated corpus, made once and kept. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suggestion, UserError } from '../../core/errors.ts';
import { noteInFolder, readNote } from '../../kit/data/synthetic-note.ts';
import { readUserFile } from '../host/files.ts';
import { madeOf, makeCorpus } from '../synth/corpora.ts';
import type { Study } from './parse.ts';
import type { Places } from './plan.ts';
import type { StudyData } from './schema.ts';

export interface PlacesOptions {
  /** Folder that relative paths of the study file start from. */
  readonly base: string;
  /** Folder of the study: generated corpora lie in `data/` below it. */
  readonly folder: string;
  /** NAME=PATH, as the user wrote them. */
  readonly given: readonly string[];
}

/** Data that victims of some part are shown. */
export interface Place {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** The corpus that has to be made there first. */
  readonly toMake?: NonNullable<StudyData['synth']>;
}

/**
 * The places of all data some part needs; nothing is made yet. Throws a UserError for a name the study does not have, a path where nothing is, and a
 * corpus that was generated with other options than the study now states.
 */
export async function placesOf(study: Study, { base, folder, given }: PlacesOptions): Promise<Place[]> {
  const chosen = new Map(given.map((text) => pathGiven(text, Object.keys(study.data))));
  const used = new Set(study.parts.flatMap(({ victims }) => victims.map((victim) => study.victims[victim]!.data)));
  const places: Place[] = [];
  for (const name of used) {
    const { path, synth } = study.data[name]!;
    const stated = chosen.get(name);
    if (stated !== undefined || path !== undefined) {
      const place = stated === undefined ? resolve(base, path!) : resolve(stated);
      if (!existsSync(place))
        throw new UserError(
          `data "${name}": "${place}" does not exist`,
          `check the path, or name another with --data ${name}=PATH`,
        );
      places.push({ name, path: place });
    } else {
      const place = resolve(folder, 'data', name);
      const there = existsSync(place);
      if (there) await refuseOther(name, place, synth!);
      places.push({ name, path: place, ...(there ? {} : { toMake: synth! }) });
    }
  }
  return places;
}

/** Makes the corpora that are not there yet; the paths by name. */
export async function makeData(
  places: readonly Place[],
  progress: (done: number, of: number, now: string) => void,
): Promise<Places> {
  for (const { name, path, toMake } of places) {
    if (toMake === undefined) continue;
    const { corpus, ...options } = toMake;
    await makeCorpus(corpus, path, options, (done, of) => progress(done, of, `generating ${name}`));
  }
  return pathsOf(places);
}

export const pathsOf = (places: readonly Place[]): Places => Object.fromEntries(places.map(({ name, path }) => [name, path]));

/** What was made by an earlier study of that folder must be what this one asks for. */
async function refuseOther(name: string, place: string, { corpus, ...options }: NonNullable<StudyData['synth']>): Promise<void> {
  const remedy = `remove "${place}", choose another folder with --out, or name these data: --data ${name}=${place}`;
  const file = join(place, noteInFolder);
  if (!existsSync(file)) throw new UserError(`data "${name}": "${place}" is there and no generated corpus`, remedy);
  const { made = {} } = readNote(await readUserFile(file, 'the note'), `"${file}"`);
  for (const [key, value] of Object.entries(madeOf(corpus, options)))
    if (made[key] !== value)
      throw new UserError(
        `data "${name}": "${place}" was made with ${key} ${JSON.stringify(made[key])}, and the study states ${JSON.stringify(value)}`,
        remedy,
      );
}

function pathGiven(text: string, names: readonly string[]): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UserError(`--data ${text}: a name and a path are needed`, `e.g. --data ${names[0]}=/path/to/corpus`);
  const name = text.slice(0, at);
  if (!names.includes(name)) throw new UserError(`--data ${text}: the study has no data "${name}"`, suggestion(name, names));
  return [name, text.slice(at + 1)];
}
