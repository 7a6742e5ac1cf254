/** @file Samples by the batch, ahead of need: the next batches are asked for while a step runs, and what fits in memory stays decoded. */
import { suggestion, UserError } from '../../../core/errors.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import type { Sample } from '../../model/model.ts';
import type { Architecture } from '../architecture.ts';
import type { Batches, Draw } from './batches.ts';
import type { LabelledSample, TrainingSet } from './task.ts';

export interface LoaderOptions {
  /** Batches asked for before they are needed. */
  readonly ahead: number;
  /** Bytes of decoded samples that are kept; those beyond are decoded again whenever they are needed. */
  readonly cacheBytes: number;
}

export const loaderDefaults: LoaderOptions = { ahead: 2, cacheBytes: 2 ** 29 };

/** Sample `index` of set `set`, checked: a label that is a class, every input at its size. */
export type Shelf = (set: number, index: number) => Promise<LabelledSample>;

/**
 * Decoded samples of several sets, the first asked for kept: in passes through everything, keeping the latest would never be of use.
 * With `apart`, ids carry the set's name, so that no two sets have the same.
 */
export function openShelf(
  architecture: Pick<Architecture, 'inputs' | 'classes'>,
  sets: readonly TrainingSet[],
  { cacheBytes, apart }: { readonly cacheBytes: number; readonly apart: boolean },
): Shelf {
  const kept = new Map<string, Promise<LabelledSample>>();
  const each = Object.values(architecture.inputs).reduce((sum, spec) => sum + 4 * sizeOf(spec.shape), 0);
  const room = Math.floor(cacheBytes / each);
  const load = async (s: number, index: number): Promise<LabelledSample> => {
    const set = sets[s]!;
    const sample = checked(await set.sample(index), set, architecture);
    return apart ? { ...sample, id: `${set.name}/${sample.id}` } : sample;
  };
  return (set, index) => {
    const key = `${set}:${index}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const asked = load(set, index);
    if (kept.size < room) kept.set(key, asked);
    return asked;
  };
}

export interface Loaded {
  readonly draws: readonly Draw[];
  readonly samples: readonly LabelledSample[];
}

/** The samples of a batch, not augmented; asking for one begins loading the `ahead` next. */
export function openLoader(
  shelf: Shelf,
  batches: Batches,
  { ahead }: { readonly ahead: number },
): (step: number) => Promise<Loaded> {
  const under = new Map<number, Promise<Loaded>>();
  const begin = (step: number): Promise<Loaded> => {
    const known = under.get(step);
    if (known !== undefined) return known;
    const draws = batches.draws(step);
    const begun = Promise.all(draws.map(({ set, index }) => shelf(set, index))).then((samples) => ({ draws, samples }));
    // whoever waits for the batch gets the error; until then nobody does
    begun.catch(() => undefined);
    under.set(step, begun);
    return begun;
  };
  return async (step) => {
    for (const held of under.keys()) if (held < step || held > step + ahead) under.delete(held);
    const loaded = await begin(step);
    for (let next = step + 1; next <= step + ahead; next++) begin(next);
    return loaded;
  };
}

/** Throws a UserError where a sample is not one of this network. */
export function checked(
  sample: Sample,
  set: Pick<TrainingSet, 'name'>,
  { inputs, classes }: Pick<Architecture, 'inputs' | 'classes'>,
): LabelledSample {
  const name = `sample "${sample.id}" of "${set.name}"`;
  const { label } = sample;
  checkLabel(label, name, classes);
  for (const [input, spec] of Object.entries(inputs)) {
    const value = sample.inputs[input];
    if (value === undefined)
      throw new UserError(`${name} has no input "${input}"`, suggestion(input, Object.keys(sample.inputs)));
    if (value.length !== sizeOf(spec.shape))
      throw new UserError(
        `${name}: input "${input}" has ${value.length} values, and its shape [${spec.shape}] holds ${sizeOf(spec.shape)}`,
        'state the true shape under inputs, or bring the data to it',
      );
  }
  return { ...sample, label: label! };
}

/** Throws a UserError where a label is missing or is no class. */
export function checkLabel(label: number | undefined, sample: string, classes: readonly string[]): void {
  if (label === undefined) throw new UserError(`${sample} has no label`, 'train and validate on labelled data');
  if (!Number.isInteger(label) || label < 0 || label >= classes.length)
    throw new UserError(
      `${sample} has the label ${label}, and there are ${classes.length} classes (0 to ${classes.length - 1})`,
      `classes are ${classes.join(', ')}: give each label of the data one of them (labels), or add the class`,
    );
}
