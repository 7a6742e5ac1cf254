/** @file Data format `n-mnist`: Train/DIGIT/NUMBER.bin and Test/DIGIT/NUMBER.bin (ATIS, 34 x 34), as N-MNIST comes (Orchard et al. 2015); N-Caltech101's files with sensor: too. */
import { UserError } from '../../core/errors.ts';
import { collect } from './events/chunk.ts';
import {
  type EventDataOptions,
  eventsIn,
  filesAsSource,
  ofTraining,
  type Recording,
  splitNamed,
  splitNames,
} from './events/recordings.ts';
import type { DataSource, FileTree } from './source.ts';

/**
 * Opens the folder. Splits: train, test, and fit and validation as parts of train (validation is the last tenth of each class in the order of file
 * names). Recordings that cannot be used are Problems. Throws a UserError where there is no recording or no such split.
 */
export async function nMnist(tree: FileTree, options: EventDataOptions = {}): Promise<DataSource> {
  const { usage, name = tree.root } = options;
  const files = await tree.list();
  const paths = files.filter((path) => /^(train|test)\/[^/]+\/.*\.bin$/i.test(path));
  if (paths.length === 0)
    throw new UserError(
      `"${tree.root}" holds no recordings`,
      'name the folder with Train/0 ... Train/9 and Test/0 ... Test/9 of .bin files (unpack the archives there)',
    );
  const labels = [...new Set(paths.map(classOf))].sort();
  const split = usage === undefined ? undefined : splitNamed(usage, splitNames, name);
  const chosen = labels.flatMap((label) => {
    const all = paths.filter((path) => classOf(path) === label);
    const inFolder = (folder: string) => all.filter((path) => path.toLowerCase().startsWith(`${folder}/`));
    if (split === undefined) return all;
    return split === 'test' ? inFolder('test') : ofTraining(inFolder('train'), split);
  });
  if (chosen.length === 0) throw new UserError(`the split "${usage}" of ${name} is empty`, 'it has to hold a recording at least');
  const recording = (path: string): Recording => {
    const id = path.replace(/\.bin$/i, '');
    return { id, group: id, label: classOf(path), path, read: async () => collect(await eventsIn(tree, path, options)) };
  };
  return filesAsSource({ tree, files, labels, chosen, recording }, options);
}

const classOf = (path: string): string => path.split('/')[1]!;
