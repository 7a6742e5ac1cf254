/**
 * @file Data format `dvs-gesture`: recordings userNN_LIGHT.aedat (AEDAT 3.1) with userNN_LIGHT_labels.csv, as DVS128-Gesture comes (Amir et al. 2017). A
 * line of the table is a sample: events with start <= t < end. People 1 to 23 train, 24 to 29 test, unless trials_to_train.txt and
 * trials_to_test.txt say otherwise. The set's known flaws are kept: ranges that overlap (user22_led), gestures done twice (user26_fluorescent).
 */
import { UserError } from '../../core/errors.ts';
import { collect } from './events/chunk.ts';
import {
  addFile,
  type EventDataOptions,
  eventsIn,
  itemOf,
  optionsDigest,
  readingOf,
  type SplitName,
  splitNamed,
  splitNames,
  syntheticIn,
} from './events/recordings.ts';
import { gestureLabels, namesIn, type Trial, trialsIn } from './gesture-labels.ts';
import type { DataSource, FileTree, Problem } from './source.ts';

/** The last person who trains, and the last who does where some of them validate. */
const [lastTraining, lastFitting] = [23, 19];

interface Place {
  readonly path: string;
  readonly trial: Exclude<Trial, { reason: string }>;
}

/**
 * Opens the folder; the group of a sample is the person. Splits: train, test, and as parts of train: fit (people 1 to 19) and validation (20 to 23). Recordings
 * without a table, lines that are no gesture and recordings that cannot be read are Problems. Throws a UserError where there is no recording, no such
 * split, or nothing says in which split a recording is.
 */
export async function dvsGesture(tree: FileTree, options: EventDataOptions = {}): Promise<DataSource> {
  const { usage, name = tree.root } = options;
  const files = await tree.list();
  const all = files.filter((path) => /\.aedat$/i.test(path));
  if (all.length === 0)
    throw new UserError(
      `"${tree.root}" holds no recordings`,
      'name the folder with userNN_LIGHT.aedat and userNN_LIGHT_labels.csv',
    );
  const split = usage === undefined ? undefined : splitNamed(usage, splitNames, name);
  const { paths, problems } = split === undefined ? { paths: all, problems: [] } : await chosen(tree, files, all, split);
  const hash = await optionsDigest(options);
  const places: (Place | Problem)[] = [...problems];
  for (const path of paths) {
    const table = path.replace(/\.aedat$/i, '_labels.csv');
    if (!files.includes(table)) {
      places.push({ item: path, reason: `it has no table of labels, ${table}`, remedy: 'put the table beside it' });
      continue;
    }
    await addFile(hash, tree, path);
    await addFile(hash, tree, table);
    places.push(...placesIn(path, table, await tree.read(table)));
  }
  if (places.length === 0) throw new UserError(`the split "${usage}" of ${name} is empty`, 'it has to hold a recording at least');
  const synthetic = await syntheticIn(tree, files);
  return {
    name: usage === undefined ? name : `${name} (${usage})`,
    labels: gestureLabels,
    labelsAre: 'the tables beside the recordings',
    reading: readingOf(options),
    ...synthetic,
    count: places.length,
    async item(index) {
      const place = places[index]!;
      if ('reason' in place) return place;
      const { path, trial } = place;
      const { label, start, end, line } = trial;
      const id = `${path.replace(/\.aedat$/i, '')}-${line - 1}`;
      const read = async () => collect(await eventsIn(tree, path, options), { from: start, to: end });
      return itemOf({ id, group: personOf(path) ?? id, label, path: `${path}, ${start} to ${end} us`, read }, options);
    },
    sha256: await hash.finish(),
  };
}

function placesIn(path: string, table: string, bytes: Uint8Array): (Place | Problem)[] {
  const trials = trialsIn(bytes);
  if (!Array.isArray(trials)) return [{ item: path, reason: `${table}: ${trials.reason}`, remedy: 'get the table again' }];
  if (trials.length === 0) return [{ item: path, reason: `${table} lists no gestures`, remedy: 'get the table again' }];
  return trials.map((trial) =>
    'reason' in trial
      ? { item: `${path}, line ${trial.line} of the table`, reason: `${table}: ${trial.reason}`, remedy: 'mend the line' }
      : { path, trial },
  );
}

/** user01 of user01_fluorescent.aedat. */
const personOf = (path: string): string | undefined => /(?:^|\/)(user\d+)_[^/]*$/i.exec(path)?.[1];

function personNumber(path: string): number {
  const person = personOf(path);
  if (person !== undefined) return Number(person.slice('user'.length));
  throw new UserError(
    `"${path}": its name does not say which person it is of, so it is in no split`,
    'name it userNN_LIGHT.aedat, or list it in trials_to_train.txt or trials_to_test.txt',
  );
}

/** Recordings of a split: by the lists where they are there, else by the number of the person. What is listed and not there is a Problem. */
async function chosen(tree: FileTree, files: readonly string[], all: readonly string[], split: SplitName) {
  const within = (path: string) =>
    split === 'fit' ? personNumber(path) <= lastFitting : split === 'validation' ? personNumber(path) > lastFitting : true;
  const list = files.find((path) => path.endsWith(split === 'test' ? 'trials_to_test.txt' : 'trials_to_train.txt'));
  if (list === undefined) {
    const side = all.filter((path) => personNumber(path) > lastTraining === (split === 'test'));
    return { paths: side.filter(within), problems: [] };
  }
  const folder = list.slice(0, list.lastIndexOf('/') + 1);
  const named = namesIn(await tree.read(list)).map((name) => folder + name);
  const missing = named.filter((path) => !files.includes(path));
  return {
    paths: named.filter((path) => files.includes(path) && within(path)),
    problems: missing.map(
      (path): Problem => ({
        item: path,
        reason: `${list} names it, but the file is not there`,
        remedy: 'get the recording, or take it off the list',
      }),
    ),
  };
}
