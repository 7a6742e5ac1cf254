/** @file A data reference of a recipe as a training set: decoded once, brought to what the network reads, every sample with a class. */
import { basename, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import { bytesOf, f32 } from '../../core/tensor/tensor.ts';
import { adapt } from '../../kit/data/adapt.ts';
import { classIndices } from '../../kit/data/labels.ts';
import { noneUsable } from '../../kit/data/none-usable.ts';
import type { DataSource, Problem } from '../../kit/data/source.ts';
import type { Sample } from '../../kit/model/model.ts';
import type { Architecture } from '../../kit/nn/architecture.ts';
import type { TrainingSet } from '../../kit/nn/fit/task.ts';
import { chooseItems } from '../experiment/plan.ts';
import type { DataReference } from '../experiment/schema.ts';
import { loadData } from '../host/data.ts';
import { sha256 } from '../host/files.ts';

export interface SetContext {
  /** Folder that relative paths start from. */
  readonly base: string;
  readonly runtime: Runtime;
  readonly target: Pick<Architecture, 'inputs' | 'classes'>;
  /** Draws `limit` samples. */
  readonly seed: number;
  /** The place of the reference in the recipe, for notes: "data.train". */
  readonly field: string;
  /** Bytes of decoded samples this set may keep in memory; those beyond are decoded again whenever they are asked for. */
  readonly memory?: number;
  /** Looked at while the data are decoded; its reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface OpenedSet extends TrainingSet {
  readonly field: string;
  readonly labelsAre: string;
  labels(): Promise<readonly number[]>;
  /** Samples of each class. */
  readonly perClass: readonly number[];
  /** What could not be used. */
  readonly problems: readonly Problem[];
  /** Bytes of decoded samples it keeps in memory. */
  readonly kept: number;
  /** sha256 of the values of each sample: tells whether two sets share samples. */
  readonly prints: ReadonlySet<string>;
}

/** Of all sets of a training together. */
export const defaults = { memory: 2 ** 30 } as const;

/**
 * Opens a data reference. Every item is decoded once, so that what cannot be used is known and counted before training begins.
 * Throws a UserError where the data have no labels, a label has no class, or nothing can be used.
 */
export async function openSet(reference: DataReference, context: SetContext): Promise<OpenedSet> {
  const { base, runtime, target, seed, field, signal, memory = defaults.memory } = context;
  const source = await loadData(reference, { base, runtime });
  if (source.labels.length === 0)
    throw new UserError(`${source.name} has no labels`, 'training needs a label for every sample: docs/training.md');
  classIndices(source.labels, target.classes, reference.labels);
  const items = chooseItems(source.count, reference.limit, seed);
  const read = reader(source, reference, target);
  const found: Found[] = [];
  const problems: Problem[] = [];
  const ids = new Set<string>();
  const prints = new Set<string>();
  let kept = 0;
  for (const item of items) {
    signal?.throwIfAborted();
    const sample = await read(item);
    if ('reason' in sample) {
      problems.push(sample);
      continue;
    }
    if (ids.has(sample.id))
      throw new UserError(`${source.name} holds two samples named "${sample.id}"`, 'give every sample an id of its own');
    ids.add(sample.id);
    prints.add(sha256(...Object.values(sample.inputs).map((values) => bytesOf(f32(values, [values.length])))));
    const fits = kept + sizeInBytes(sample) <= memory;
    if (fits) kept += sizeInBytes(sample);
    found.push({ item, label: sample.label!, ...(fits ? { sample } : {}) });
  }
  if (found.length === 0) throw noneUsable(source.name, problems);
  const perClass = target.classes.map((_, c) => found.filter((f) => f.label === c).length);
  return {
    field,
    name: setName(reference, source.name, base),
    sha256: source.sha256,
    labelsAre: source.labelsAre,
    ...(source.synthetic === undefined ? {} : { synthetic: source.synthetic }),
    count: found.length,
    perClass,
    problems,
    kept,
    prints,
    labels: async () => found.map((f) => f.label),
    async sample(index) {
      const { item, sample } = found[index]!;
      const again = sample ?? (await read(item));
      if ('reason' in again)
        throw new UserError(`${again.item}: ${again.reason}`, 'the data changed while training was under way');
      return again;
    },
  };
}

/** What a set is called: order and noise are drawn by it where several are mixed, so it says nothing of the place. */
function setName(reference: DataReference, source: string, base: string): string {
  if (!('path' in reference)) return source;
  const name = basename(resolve(base, reference.path));
  return reference.usage === undefined ? name : `${name} (${reference.usage})`;
}

interface Found {
  readonly item: number;
  readonly label: number;
  readonly sample?: Sample;
}

/** An item as a sample with a label, or why it cannot be one. */
function reader(source: DataSource, { labels, resize }: DataReference, target: SetContext['target']) {
  return async (index: number): Promise<Sample | Problem> => {
    const item = await source.item(index);
    if ('reason' in item) return item;
    if (item.label === undefined) return { item: item.id, reason: 'it has no label' };
    // the recordings behind the frames are of no use here, and large
    const { events: _events, ...frames } = item;
    return adapt(frames, target, { ...(labels ? { labels } : {}), ...(resize ? { resize } : {}) });
  };
}

const sizeInBytes = ({ inputs }: Sample): number => Object.values(inputs).reduce((sum, values) => sum + values.byteLength, 0);

/**
 * Samples that are in two sets that have to be apart: a sentence for each set that has some. Throws a UserError where all of a set's are, because
 * figures on it would say nothing of samples the model has not seen.
 */
export function sharedSamples(train: readonly OpenedSet[], validation: OpenedSet, test?: OpenedSet): string[] {
  const within = (set: OpenedSet, others: readonly OpenedSet[], what: string): string[] => {
    const { field, name, prints } = set;
    const shared = [...prints].filter((print) => others.some((other) => other.prints.has(print))).length;
    if (shared === prints.size)
      throw new UserError(
        `${field}: all samples of ${name} are among ${what}`,
        'name data that are kept apart (usage: names a split), or divide the data',
      );
    return shared === 0
      ? []
      : [
          `${field}: ${shared} of ${prints.size} different samples of ${name} are among ${what} too: figures on them flatter the model`,
        ];
  };
  return [
    ...within(validation, train, 'the training data'),
    ...(test === undefined ? [] : within(test, [...train, validation], 'the training or validation data')),
  ];
}

/** What could not be used of all sets, for the terminal: how many of each, and the first few. */
export function describeProblems(sets: readonly OpenedSet[]): string[] {
  return sets.flatMap(({ field, name, count, problems }) =>
    problems.length === 0
      ? []
      : [
          `${field}: ${problems.length} of ${count + problems.length} samples of ${name} cannot be used:`,
          ...problems.slice(0, 5).map((p) => `  ${p.item}: ${p.reason}`),
          ...(problems.length > 5 ? ['  ...'] : []),
        ],
  );
}
