/**
 * @file Data format `cifar10-dvs`: a folder per class of recordings cifar10_CLASS_NUMBER.aedat (AEDAT 2.0, DVS128), as CIFAR10-DVS comes (Li et al. 2017).
 * It names no split. Two are in use: the released code of PDSG and SDA tests on the last tenth of each class in the order of file names (code);
 * TEBN's on the recordings with the lowest numbers, 0 to 99 of 1000 (tebn).
 */
import { UserError } from '../../core/errors.ts';
import { collect } from './events/chunk.ts';
import {
  type EventDataOptions,
  eventsIn,
  filesAsSource,
  type Recording,
  splitNamed,
  splitNames,
  tenths,
} from './events/recordings.ts';
import type { DataSource, FileTree } from './source.ts';

const splits = [...splitNames, ...splitNames.map((s) => `code-${s}` as const), ...splitNames.map((s) => `tebn-${s}` as const)];

/**
 * Opens the folder. Splits: code-train, code-test, tebn-train, tebn-test, and fit and validation as parts of train; without a prefix code's. Recordings that
 * cannot be used are Problems. Throws a UserError where there is no recording or no such split.
 */
export async function cifar10Dvs(tree: FileTree, options: EventDataOptions = {}): Promise<DataSource> {
  const { usage, name = tree.root } = options;
  const files = await tree.list();
  const paths = files.filter((path) => /^[^/]+\/.*\.aedat$/i.test(path));
  if (paths.length === 0)
    throw new UserError(
      `"${tree.root}" holds no recordings`,
      'name the folder with a sub-folder per class of cifar10_CLASS_NUMBER.aedat (unpack the archives there)',
    );
  const labels = [...new Set(paths.map(classOf))].sort();
  const split = usage === undefined ? undefined : splitNamed(usage, splits, name);
  const chosen = labels.flatMap((label) => {
    const all = paths.filter((path) => classOf(path) === label);
    if (split === undefined) return all;
    const part = splitNames.find((s) => split.endsWith(s))!;
    return split.startsWith('tebn-') ? tenths([...all].sort(byNumber), part, true) : tenths(all, part);
  });
  if (chosen.length === 0)
    throw new UserError(`the split "${usage}" of ${name} is empty`, 'a tenth of a class needs five recordings or more');
  return filesAsSource({ tree, files, labels, chosen, recording: (path) => recordingOf(tree, path, options) }, options);
}

const classOf = (path: string): string => path.split('/')[0]!;

function recordingOf(tree: FileTree, path: string, options: EventDataOptions): Recording {
  const id = path.replace(/\.aedat$/i, '');
  return { id, group: id, label: classOf(path), path, read: async () => collect(await eventsIn(tree, path, options)) };
}

const numberOf = (path: string): number => Number(/(\d+)\.aedat$/i.exec(path)?.[1] ?? Number.NaN);

/** By the number at the end of the name; names without one come last. */
const byNumber = (a: string, b: string): number => numberOf(a) - numberOf(b) || (a < b ? -1 : 1);
