/**
 * @file Data format `cifar10`: the binary version of CIFAR-10 (Krizhevsky 2009). Files of records of a byte for the class and 3072 for a 32 x 32
 * picture, all of red, then of green, then of blue, row by row; names of the classes in batches.meta.txt, a line each.
 */
import { suggestion, UserError } from '../../core/errors.ts';
import { digest } from './digest.ts';
import type { DataSource, FileTree, RawItem } from './source.ts';
import { noteInFolder, readNote } from './synthetic-note.ts';

export interface Cifar10Options {
  /** Keep one split: train, test, or the two parts of train: fit and validation; default: all. */
  readonly usage?: string;
  /** How reports name the data; default: the tree's root. */
  readonly name?: string;
}

export const cifar10Side = 32;
const plane = cifar10Side * cifar10Side;
/** A byte for the class and three planes. */
export const cifar10Record = 1 + 3 * plane;
export const cifar10Meta = 'batches.meta.txt';
const classes = 10;

/** The folder inside the archive that CIFAR-10 comes in. */
const packed = 'cifar-10-batches-bin/';

const originalNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** Which of the files each split is, the files for training in the order of their numbers. */
const splits: Readonly<Record<string, (training: readonly string[], test: readonly string[]) => readonly string[]>> = {
  train: (training) => training,
  test: (_, test) => test,
  fit: (training) => training.slice(0, -1),
  validation: (training) => (training.length > 1 ? training.slice(-1) : []),
};

interface Batch {
  /** File name without .bin. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/**
 * Opens a folder of data_batch_*.bin and test_batch.bin; the files of the split are held in memory. A note synthetic.json says that the pictures were
 * generated. Throws a UserError that names the file where one is cut short, holds a class that is none, or the split has no file.
 */
export async function cifar10(tree: FileTree, { usage, name = tree.root }: Cifar10Options = {}): Promise<DataSource> {
  const files = await tree.list();
  const folder = files.some((file) => file.startsWith(packed)) ? packed : '';
  const chosen = filesOf(files, folder, usage, name, tree.root);
  const hash = digest();
  const batches: Batch[] = [];
  for (const file of chosen) {
    const bytes = await tree.read(file);
    await hash.add(file.slice(folder.length));
    await hash.add(bytes);
    batches.push({ name: file.slice(folder.length, -'.bin'.length), bytes, count: countOf(bytes, `"${tree.root}/${file}"`) });
  }
  const meta = files.includes(folder + cifar10Meta) ? await tree.read(folder + cifar10Meta) : undefined;
  const labels = meta === undefined ? originalNames : namesIn(meta, `"${tree.root}/${folder}${cifar10Meta}"`);
  await hash.add(labels.join('\n'));
  const note = files.includes(folder + noteInFolder)
    ? readNote(await tree.read(folder + noteInFolder), `"${tree.root}/${folder}${noteInFolder}"`)
    : undefined;
  const places = batches.flatMap((batch) => Array.from({ length: batch.count }, (_, row) => ({ batch, row })));
  return {
    name: usage === undefined ? name : `${name} (${usage})`,
    labels,
    labelsAre:
      note === undefined ? 'the first byte of every record' : 'the shapes that were asked for when the pictures were made',
    ...(note === undefined ? {} : { synthetic: note.synthetic }),
    count: places.length,
    item: async (index) => itemOf(places[index]!.batch, places[index]!.row, labels),
    sha256: await hash.finish(),
  };
}

function filesOf(files: readonly string[], folder: string, usage: string | undefined, name: string, root: string): string[] {
  const number = (file: string) => Number(/data_batch_(\d+)\.bin$/.exec(file)?.[1]);
  const training = files
    .filter((file) => file.startsWith(folder) && /^data_batch_\d+\.bin$/.test(file.slice(folder.length)))
    .sort((a, b) => number(a) - number(b));
  const test = files.filter((file) => file === `${folder}test_batch.bin`);
  if (training.length + test.length === 0)
    throw new UserError(
      `"${root}" holds neither data_batch_1.bin nor test_batch.bin`,
      files.includes('train.bin')
        ? 'CIFAR-100 has another layout: name the folder of CIFAR-10, "binary version"'
        : 'name the folder of the binary version of CIFAR-10 (the one for C programs)',
    );
  if (usage === undefined) return [...training, ...test];
  const split = Object.hasOwn(splits, usage) ? splits[usage] : undefined;
  if (split === undefined) throw new UserError(`${name} has no split "${usage}"`, suggestion(usage, Object.keys(splits)));
  const chosen = split(training, test);
  if (chosen.length > 0) return [...chosen];
  throw new UserError(
    `${name} has no split "${usage}": its files are ${[...training, ...test].join(', ')}`,
    'validation is the last of several data_batch files, fit all the others, test is test_batch.bin',
  );
}

/** Records in a file, every one looked at. */
function countOf(bytes: Uint8Array, source: string): number {
  const count = Math.floor(bytes.length / cifar10Record);
  for (let row = 0; row < count; row++) {
    const label = bytes[row * cifar10Record]!;
    if (label >= classes)
      throw new UserError(
        `${source}: the class of picture ${row} is ${label}, and there are ${classes}, 0..${classes - 1}`,
        'this is not the binary version of CIFAR-10, or the file is damaged: get it again',
      );
  }
  if (bytes.length === 0 || bytes.length % cifar10Record !== 0)
    throw new UserError(
      `${source} has ${bytes.length} bytes: ${count} pictures of ${cifar10Record} and ${bytes.length % cifar10Record} more`,
      'it was cut short: get it again',
    );
  return count;
}

function namesIn(meta: Uint8Array, source: string): string[] {
  const names = new TextDecoder()
    .decode(meta)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length === classes && new Set(names).size === classes) return names;
  throw new UserError(`${source} names ${names.length} classes`, `write ${classes} different names, a line each, or remove it`);
}

/** A record as a picture: colours side by side for every pixel. */
function itemOf({ name, bytes }: Batch, row: number, labels: readonly string[]): RawItem {
  const start = row * cifar10Record;
  const data = new Uint8Array(3 * plane);
  for (let c = 0; c < 3; c++) for (let i = 0; i < plane; i++) data[3 * i + c] = bytes[start + 1 + c * plane + i]!;
  const id = `${name}-${row}`;
  return {
    id,
    group: id,
    label: labels[bytes[start]!]!,
    inputs: { '': { kind: 'image', width: cifar10Side, height: cifar10Side, channels: 3, data } },
  };
}
