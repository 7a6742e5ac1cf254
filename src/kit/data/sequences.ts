/**
 * @file Data format `sequences`: a folder with index.json and one NumPy archive per split (docs/data-formats.md). An archive holds x [N, channels,
 * steps] in float32 or float64, y [N] (class indices), and optionally subject [N] (who each sequence is of: text or whole numbers).
 */
import { suggestion, UserError } from '../../core/errors.ts';
import { readNpz } from '../../core/tensor/npy.ts';
import { numbersOf, type Tensor } from '../../core/tensor/tensor.ts';
import { digest } from './digest.ts';
import { readSequenceIndex, type SequenceIndex, sequenceIndexName } from './sequence-index.ts';
import type { DataSource, FileTree, Problem, RawItem } from './source.ts';

export interface SequencesOptions {
  /** Keep one split, as the index names it; default: all. */
  readonly usage?: string;
  /** How reports name the data; default: the tree's root. */
  readonly name?: string;
}

interface Part {
  readonly split: string;
  readonly count: number;
  /** Channels and steps. */
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
  readonly labels: readonly number[];
  readonly subjects?: readonly string[];
}

/**
 * Opens the folder; the group of a sequence is its subject. Sequences whose label is no class, or that hold a value that is not finite, are
 * Problems. Throws a UserError that names file and entry where the index or an archive cannot be used, or the split is not there.
 */
export async function sequences(tree: FileTree, options: SequencesOptions = {}): Promise<DataSource> {
  const files = await tree.list();
  const name = options.name ?? tree.root;
  if (!files.includes(sequenceIndexName)) {
    throw new UserError(
      `"${tree.root}" holds no ${sequenceIndexName}`,
      'name the folder of the sequences; its index.json needs at least { "classes": [...] } (docs/data-formats.md)',
    );
  }
  const written = await tree.read(sequenceIndexName);
  const index = readSequenceIndex(written, `"${tree.root}/${sequenceIndexName}"`, files);
  const hash = digest();
  await hash.add(written);
  const parts: Part[] = [];
  for (const split of chosen(index, options.usage, name)) {
    const file = index.splits[split]!;
    if (!files.includes(file)) {
      throw new UserError(
        `"${tree.root}/${sequenceIndexName}": splits.${split} names "${file}", which is not there`,
        `put the archive there, or take the split out (files: ${files.join(', ')})`,
      );
    }
    const bytes = await tree.read(file);
    await hash.add(`${split}\n${file}`);
    await hash.add(bytes);
    parts.push(partOf(readNpz(bytes, `"${tree.root}/${file}"`), { split, source: `"${tree.root}/${file}"`, index }));
  }
  const places = parts.flatMap((part) => Array.from({ length: part.count }, (_, row) => ({ part, row })));
  if (places.length === 0) throw new UserError(`"${tree.root}" holds no sequences`, 'give archives whose x has one row or more');
  return {
    name: options.usage === undefined ? name : `${name} (${options.usage})`,
    labels: index.classes,
    labelsAre: index.labelsAre ?? `the array "y" of the archives in ${name}`,
    ...(index.synthetic === undefined ? {} : { synthetic: index.synthetic }),
    count: places.length,
    item: async (i) => itemOf(places[i]!.part, places[i]!.row, index),
    sha256: await hash.finish(),
  };
}

function chosen({ splits }: SequenceIndex, usage: string | undefined, name: string): string[] {
  const names = Object.keys(splits);
  if (usage === undefined) return names;
  if (names.includes(usage)) return [usage];
  throw new UserError(`${name} has no split "${usage}"`, suggestion(usage, names));
}

interface Place {
  readonly split: string;
  readonly source: string;
  readonly index: SequenceIndex;
}

function partOf(arrays: ReadonlyMap<string, Tensor>, { split, source, index }: Place): Part {
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(`${source}: ${what}`, remedy);
  };
  const array = (key: string): Tensor =>
    arrays.get(key) ??
    refuse(`it has no array "${key}"`, `it needs x [N, channels, steps] and y [N] (it has: ${[...arrays.keys()].join(', ')})`);
  const [x, y, subject] = [array('x'), array('y'), arrays.get('subject')];
  if (x.dims.length !== 3 || (x.dtype !== 'float32' && x.dtype !== 'float64'))
    refuse(`x is ${x.dtype} [${x.dims.join(', ')}]`, 'it has to be float32 or float64 [N, channels, steps]');
  const [count, channels, steps] = x.dims as [number, number, number];
  if (!/^u?int/.test(y.dtype)) refuse(`y is ${y.dtype}`, 'it has to hold whole numbers: indices into the classes of index.json');
  for (const [key, t] of [['y', y] as const, ...(subject === undefined ? [] : [['subject', subject] as const])])
    if (t.dims.length !== 1 || t.dims[0] !== count)
      refuse(
        `${key} is [${t.dims.join(', ')}] beside x [${x.dims.join(', ')}]`,
        `it has to be [${count}]: one entry per sequence`,
      );
  if (index.channels !== undefined && index.channels.length !== channels)
    refuse(`x has ${channels} channels, index.json names ${index.channels.length}`, 'bring them to agree');
  if (subject !== undefined && subject.dtype !== 'string' && !/^u?int/.test(subject.dtype))
    refuse(`subject is ${subject.dtype}`, 'it has to hold names or whole numbers');
  return {
    split,
    count,
    shape: [channels, steps],
    values: x.dtype === 'float32' ? x.data : Float32Array.from(x.data as Float64Array),
    labels: numbersOf(y),
    ...(subject === undefined ? {} : { subjects: Array.from(subject.data as ArrayLike<unknown>, String) }),
  };
}

function itemOf({ split, shape, values, labels, subjects }: Part, row: number, { classes }: SequenceIndex): RawItem | Problem {
  const id = `${split}-${row}`;
  const size = shape[0] * shape[1];
  const data = values.subarray(row * size, (row + 1) * size);
  const label = classes[labels[row]!];
  if (label === undefined)
    return {
      item: id,
      reason: `its label is ${labels[row]}, and there are ${classes.length} classes, 0..${classes.length - 1}`,
      remedy: 'mend y, or name the class in index.json',
    };
  const broken = data.findIndex((v) => !Number.isFinite(v));
  if (broken >= 0)
    return {
      item: id,
      reason: `channel ${Math.floor(broken / shape[1])}, step ${broken % shape[1]} is ${data[broken]}`,
      remedy: 'remove or repair the sequence',
    };
  return { id, group: subjects?.[row] ?? id, label, inputs: { '': { kind: 'array', shape, data } } };
}
