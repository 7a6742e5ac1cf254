/** @file What the formats of event data have in common: options, recordings as raw items, and the files they come from. */
import { suggestion, UserError } from '../../../core/errors.ts';
import { type Digest, digest } from '../digest.ts';
import type { ByteSource, DataSource, FileTree, Problem, RawItem } from '../source.ts';
import { noteInFolder, readNote } from '../synthetic-note.ts';
import type { Sensor } from './aedat-header.ts';
import { type BinOptions, binDefaults, cut, frameShape, framesOf } from './binning.ts';
import type { EventReader } from './chunk.ts';
import { type Convention, conventionDefault } from './convention.ts';
import { downsample } from './downsample.ts';
import { openEvents } from './formats.ts';
import { inMemory } from './sequential.ts';
import type { EventStream } from './stream.ts';

export interface EventDataOptions extends BinOptions {
  /** The split to keep, as the format names it; default: all. */
  readonly usage?: string;
  readonly convention?: Convention;
  /** So many pixels of the sensor in each direction become one. */
  readonly downsample?: number;
  /** Size of the sensor, where the files do not say it. */
  readonly sensor?: Sensor;
  /** How reports name the data; default: the tree's root. */
  readonly name?: string;
}

/** A recording, or a part of one, that is a sample. */
export interface Recording {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  /** Of the file it is in, below the data's root. */
  readonly path: string;
  read(): Promise<EventStream>;
}

/** A file of the tree, read in pieces where the tree can. */
export const bytesIn = async (tree: FileTree, path: string): Promise<ByteSource> =>
  tree.bytes === undefined ? inMemory(await tree.read(path)) : tree.bytes(path);

/** A file of the tree as a recording; messages call it by its path. */
export const eventsIn = async (
  tree: FileTree,
  path: string,
  { convention, sensor }: Pick<EventDataOptions, 'convention' | 'sensor'>,
): Promise<EventReader> =>
  openEvents(await bytesIn(tree, path), path, {
    ...(convention === undefined ? {} : { convention }),
    ...(sensor === undefined ? {} : { sensor }),
  });

interface ChosenFiles {
  readonly tree: FileTree;
  /** All files of the tree. */
  readonly files: readonly string[];
  readonly labels: readonly string[];
  /** The recordings, a file each. */
  readonly chosen: readonly string[];
  recording(path: string): Recording;
}

/** Recordings of a file each, whose labels are the names of their folders, as a source. */
export async function filesAsSource(
  { tree, files, labels, chosen, recording }: ChosenFiles,
  options: EventDataOptions,
): Promise<DataSource> {
  const { usage, name = tree.root } = options;
  const synthetic = await syntheticIn(tree, files);
  const hash = await optionsDigest(options);
  for (const path of chosen) await addFile(hash, tree, path);
  return {
    name: usage === undefined ? name : `${name} (${usage})`,
    labels,
    labelsAre: 'the names of the folders',
    reading: readingOf(options),
    ...synthetic,
    count: chosen.length,
    item: (index) => itemOf(recording(chosen[index]!), options),
    sha256: await hash.finish(),
  };
}

/** The frames of a recording with the windows they were cut by; a Problem where it cannot be read or cut. */
export async function itemOf({ id, group, label, path, read }: Recording, options: EventDataOptions): Promise<RawItem | Problem> {
  try {
    const what = `"${path}"`;
    const stream = downsample(await read(), options.downsample ?? 1, what);
    const clip = cut(stream, binning(options), what);
    const frames = { kind: 'array', shape: frameShape(clip), data: framesOf(clip) } as const;
    return { id, group, label, inputs: { '': frames }, events: { '': clip } };
  } catch (error) {
    if (error instanceof UserError) return { item: id, reason: error.message, remedy: error.remedy };
    throw error;
  }
}

/** The options of cutting, those not given by their default. */
export const binning = ({ frames, by, values }: BinOptions): Required<BinOptions> => ({
  frames: frames ?? binDefaults.frames,
  by: by ?? binDefaults.by,
  values: values ?? binDefaults.values,
});

const pieceBytes = 2 ** 20;

/** Adds a file to a digest, a piece at a time. */
export async function addFile(hash: Digest, tree: FileTree, path: string): Promise<void> {
  const source = await bytesIn(tree, path);
  await hash.add(`${path}\n${source.size}`);
  const room = new Uint8Array(Math.min(pieceBytes, source.size));
  for (let at = 0; at < source.size; at += pieceBytes)
    await hash.add(await source.read(at, Math.min(pieceBytes, source.size - at), room));
}

/** A digest that has begun with everything that decides how recordings become samples. */
export async function optionsDigest(options: EventDataOptions): Promise<Digest> {
  const { usage, convention = conventionDefault, downsample: factor = 1, sensor } = options;
  const hash = digest();
  await hash.add(JSON.stringify({ ...binning(options), usage, convention, factor, sensor }));
  return hash;
}

/** How the files are read, for reports. */
export function readingOf(options: EventDataOptions): string {
  const { frames, by, values } = binning(options);
  const factor = options.downsample ?? 1;
  const coarser = factor === 1 ? '' : `, ${factor} x ${factor} pixels of the sensor as one`;
  return `${frames} frames by ${by}, ${values}${coarser}; address bits as ${options.convention ?? conventionDefault} reads them`;
}

/** What the note synthetic.json says of data that were generated. */
export async function syntheticIn(tree: FileTree, files: readonly string[]): Promise<Pick<DataSource, 'synthetic'>> {
  if (!files.includes(noteInFolder)) return {};
  return { synthetic: readNote(await tree.read(noteInFolder), `"${tree.root}/${noteInFolder}"`).synthetic };
}

/** Names of the splits every format with training and test data has; fit and validation are the parts of train. */
export const splitNames = ['train', 'test', 'fit', 'validation'] as const;

export type SplitName = (typeof splitNames)[number];

/** The split of that name; throws a UserError with the nearest name. */
export function splitNamed<N extends string>(usage: string, names: readonly N[], data: string): N {
  const found = names.find((name) => name === usage);
  if (found === undefined) throw new UserError(`${data} has no split "${usage}"`, suggestion(usage, names));
  return found;
}

/** What of a list a split keeps, of which a tenth (at the end or the beginning) is for testing, and a tenth of the rest for validation. */
export function tenths<T>(items: readonly T[], split: SplitName, testFirst = false): readonly T[] {
  const tenth = Math.round(items.length / 10);
  const [test, train] = testFirst
    ? [items.slice(0, tenth), items.slice(tenth)]
    : [items.slice(items.length - tenth), items.slice(0, items.length - tenth)];
  return split === 'test' ? test : ofTraining(train, split);
}

/** The part of training recordings a split keeps: all, or for validation the last tenth. */
export function ofTraining<T>(train: readonly T[], split: Exclude<SplitName, 'test'>): readonly T[] {
  const rest = train.length - Math.round(train.length / 10);
  return split === 'train' ? train : split === 'fit' ? train.slice(0, rest) : train.slice(rest);
}
