/**
 * @file Data format `events`: a folder per class of recordings in any format of event files, or of frames (.npz with an array `frames`
 * [frames, 2, height, width]); index.json may name splits, classes and the size of the sensor (docs/data-formats.md).
 */
import { UserError } from '../../core/errors.ts';
import { readNpz } from '../../core/tensor/npy.ts';
import { numbersOf, type Tensor } from '../../core/tensor/tensor.ts';
import { type EventIndex, eventIndexName, readEventIndex } from './event-index.ts';
import { checked, collect } from './events/chunk.ts';
import { isEventFile } from './events/formats.ts';
import { fromArrays } from './events/npz-events.ts';
import {
  addFile,
  binning,
  type EventDataOptions,
  eventsIn,
  itemOf,
  optionsDigest,
  readingOf,
  splitNamed,
  syntheticIn,
} from './events/recordings.ts';
import type { DataSource, FileTree, Problem, RawItem } from './source.ts';

interface Entry {
  readonly path: string;
  readonly label: string;
  readonly group: string;
}

/**
 * Opens the folder. The group of a recording is the folder inside its class folder (a person's, the same in every class), or the recording itself. Recordings that cannot be used are
 * Problems. Throws a UserError where the index cannot be read, there is no recording, no such split, or two recordings have one name.
 */
export async function eventFolder(tree: FileTree, given: EventDataOptions = {}): Promise<DataSource> {
  const { usage, name = tree.root } = given;
  const files = await tree.list();
  const where = `"${tree.root}/${eventIndexName}"`;
  const index: EventIndex = files.includes(eventIndexName) ? readEventIndex(await tree.read(eventIndexName), where) : {};
  const options: EventDataOptions =
    given.sensor === undefined && index.sensor !== undefined
      ? { ...given, sensor: { width: index.sensor[0], height: index.sensor[1] } }
      : given;
  const entries = entriesOf(files.filter(isEventFile), index, usage, name, where);
  if (entries.length === 0)
    throw new UserError(
      `${usage === undefined ? `"${tree.root}"` : `the split "${usage}" of ${name}`} holds no recordings in folders of classes`,
      'put .aedat, .bin, .npz or .csv files into a sub-folder per class (docs/data-formats.md)',
    );
  refuseTwins(entries, name);
  const labels = index.classes ?? [...new Set(entries.map((e) => e.label))].sort();
  const hash = await optionsDigest(options);
  await hash.add(labels.join('\n'));
  for (const { path } of entries) await addFile(hash, tree, path);
  return {
    name: usage === undefined ? name : `${name} (${usage})`,
    labels,
    labelsAre: index.labelsAre ?? 'the names of the folders',
    reading: readingOf(options),
    ...(index.synthetic === undefined ? await syntheticIn(tree, files) : { synthetic: index.synthetic }),
    count: entries.length,
    item: (i) => itemAt(tree, entries[i]!, labels, options),
    sha256: await hash.finish(),
  };
}

function entriesOf(
  files: readonly string[],
  { splits }: EventIndex,
  usage: string | undefined,
  name: string,
  where: string,
): Entry[] {
  if (splits === undefined) {
    if (usage !== undefined)
      throw new UserError(`${name} names no splits`, `leave usage out, or name the splits in ${where} (docs/data-formats.md)`);
    return entriesBelow(files, '');
  }
  const chosen = usage === undefined ? Object.keys(splits) : [splitNamed(usage, Object.keys(splits), name)];
  return chosen.flatMap((split) => {
    const place = splits[split]!;
    if (typeof place === 'string') return entriesBelow(files, `${place.replace(/\/+$/, '')}/`);
    const missing = place.find((path) => !files.includes(path));
    if (missing !== undefined)
      throw new UserError(
        `${where}: splits.${split} names "${missing}", which is not there`,
        'take it out, or put the recording there',
      );
    return place.map((path) => ({ path, label: path.split('/').at(-2) ?? '', group: path }));
  });
}

/** Recordings in folders of classes below a folder; its name ends with '/'. */
const entriesBelow = (files: readonly string[], folder: string): Entry[] =>
  files.flatMap((path) => {
    const parts = path.startsWith(folder) ? path.slice(folder.length).split('/') : [];
    return parts.length < 2 ? [] : [{ path, label: parts[0]!, group: parts.length > 2 ? parts.slice(1, -1).join('/') : path }];
  });

const idOf = (path: string): string => path.replace(/\.[^./]*$/, '');

/** The name of a sample is its path without the ending: hand.npz and hand.csv would be one, as would a file that is listed twice. */
function refuseTwins(entries: readonly Entry[], name: string): void {
  const seen = new Map<string, string>();
  for (const { path } of entries) {
    const other = seen.get(idOf(path));
    if (other === path)
      throw new UserError(
        `${name}: "${path}" is listed twice in ${eventIndexName}`,
        'list it once; a recording in two splits is met when both are read: name one with usage',
      );
    if (other !== undefined)
      throw new UserError(
        `${name} holds two recordings called "${idOf(path)}": ${other} and ${path}`,
        'give one of them another name, or take it out',
      );
    seen.set(idOf(path), path);
  }
}

async function itemAt(
  tree: FileTree,
  { path, label, group }: Entry,
  labels: readonly string[],
  options: EventDataOptions,
): Promise<RawItem | Problem> {
  const id = idOf(path);
  if (!labels.includes(label))
    return {
      item: id,
      reason: `its folder "${label}" is none of the classes of ${eventIndexName}`,
      remedy: `they are ${labels.join(', ')}`,
    };
  if (!/\.npz$/i.test(path))
    return itemOf({ id, group, label, path, read: async () => collect(await eventsIn(tree, path, options)) }, options);
  let arrays: Map<string, Tensor>;
  try {
    arrays = readNpz(await tree.read(path), `"${path}"`);
  } catch (error) {
    if (error instanceof UserError) return { item: id, reason: error.message, remedy: error.remedy };
    throw error;
  }
  const frames = arrays.get('frames');
  if (frames !== undefined) return binned({ id, group, label }, frames, options);
  const read = async () => collect(checked(fromArrays(arrays, path, options), path));
  return itemOf({ id, group, label, path, read }, options);
}

/** Frames somebody else has binned: they come without events. */
function binned(item: Pick<RawItem, 'id' | 'group' | 'label'>, frames: Tensor, options: EventDataOptions): RawItem | Problem {
  const { frames: wanted, values } = binning(options);
  const [count, channels] = frames.dims;
  if (frames.dtype === 'string' || frames.dims.length !== 4 || count !== wanted || channels !== 2)
    return {
      item: item.id,
      reason: `its frames are ${frames.dtype} [${frames.dims.join(', ')}]`,
      remedy: `they have to be [${wanted}, 2, height, width]; another number of frames is named under data: frames`,
    };
  if ((options.downsample ?? 1) !== 1)
    return {
      item: item.id,
      reason: 'it holds frames, which are not downsampled',
      remedy: 'leave downsample out, or give events',
    };
  const data = Float32Array.from(numbersOf(frames), (v) => (values === 'binary' && v > 0 ? 1 : v));
  return { ...item, inputs: { '': { kind: 'array', shape: frames.dims, data } } };
}
