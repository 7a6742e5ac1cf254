/** @file Where the data of a study lie: a path the user gives, the path in the file, or a generated corpus, made once and kept. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggestion, UserError } from '../../core/errors.ts';
import { makeCorpus } from '../synth/corpora.ts';
import type { Study } from './parse.ts';
import type { Places } from './plan.ts';

export interface PlacesOptions {
  /** Folder that relative paths of the study file start from. */
  readonly base: string;
  /** Folder of the study: generated corpora lie in `data/` below it. */
  readonly folder: string;
  /** NAME=PATH, as the user wrote them. */
  readonly given: readonly string[];
  progress(done: number, of: number, now: string): void;
}

/** Absolute paths of the data that victims of some part are shown. Throws a UserError for a name the study does not have. */
export async function placesOf(study: Study, { base, folder, given, progress }: PlacesOptions): Promise<Places> {
  const chosen = new Map(given.map((text) => pathGiven(text, Object.keys(study.data))));
  const used = new Set(study.parts.flatMap(({ victims }) => victims.map((victim) => study.victims[victim]!.data)));
  const places: Record<string, string> = {};
  for (const name of used) {
    const { path, synth } = study.data[name]!;
    const stated = chosen.get(name);
    if (stated !== undefined) places[name] = resolve(stated);
    else if (path !== undefined) places[name] = resolve(base, path);
    else {
      places[name] = resolve(folder, 'data', name);
      if (existsSync(places[name])) continue;
      const { corpus, ...options } = synth!;
      await makeCorpus(corpus, places[name], options, (done, of) => progress(done, of, `generating ${name}`));
    }
  }
  return places;
}

function pathGiven(text: string, names: readonly string[]): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UserError(`--data ${text}: a name and a path are needed`, `e.g. --data ${names[0]}=/path/to/corpus`);
  const name = text.slice(0, at);
  if (!names.includes(name)) throw new UserError(`--data ${text}: the study has no data "${name}"`, suggestion(name, names));
  return [name, text.slice(at + 1)];
}
