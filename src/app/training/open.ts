/** @file A recipe opened: what it names looked up, its data decoded, everything checked that can be checked before the first step. */
import { relative, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import { assertSameData, type DataRecord } from '../../kit/nn/export/provenance.ts';
import { planBatches } from '../../kit/nn/fit/batches.ts';
import { requireClasses } from '../../kit/nn/fit/check-task.ts';
import type { Task } from '../../kit/nn/fit/task.ts';
import { inPlace } from '../document.ts';
import type { DataReference } from '../experiment/schema.ts';
import { sha256 } from '../host/files.ts';
import { version } from '../host/version.ts';
import { type Choices, choicesOf } from './choices.ts';
import { defaults as dataDefaults, type OpenedSet, openSet, sharedSamples } from './data.ts';
import type { ParsedRecipe } from './parse.ts';
import type { Recipe, TrainReference } from './schema.ts';

/** What the command line puts in place of what the recipe says. */
export interface Overrides {
  readonly epochs?: number;
  readonly seed?: number;
  /** The corpus all data references with a path are read from. */
  readonly data?: string;
}

export interface OpenContext {
  /** Folder that relative paths of the recipe start from. */
  readonly base: string;
  /** What the model is called where the recipe does not say. */
  readonly name: string;
  readonly runtime: Runtime;
  /** Bytes of decoded samples all sets together may keep in memory, those named first before the others. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
}

export interface TrainingPart {
  readonly set: OpenedSet;
  readonly share?: number;
}

export interface OpenedTraining {
  readonly name: string;
  /** With every option written out, and what the command line changed. */
  readonly recipe: Recipe;
  readonly choices: Choices;
  readonly train: readonly TrainingPart[];
  readonly validation: OpenedSet;
  readonly test?: OpenedSet;
  /** All of them, in this order. */
  readonly sets: readonly OpenedSet[];
  readonly task: Task;
  /** Tells the checkpoints of this training from those of others: recipe, data and version, but neither names nor places. */
  readonly identity: string;
  /** What whoever reads the figures should know of the data. */
  readonly notes: readonly string[];
  /** The recipe with the paths of its data as seen from a folder, for the card that will lie there. */
  recipeIn(folder: string): Recipe;
}

/** Opens a recipe. Throws a UserError for whatever would end the training. */
export async function openTraining(parsed: ParsedRecipe, overrides: Overrides, context: OpenContext): Promise<OpenedTraining> {
  const { base, runtime, signal } = context;
  const moved = replaced(parsed.value, overrides, base);
  const choices = choicesOf(moved, parsed.where);
  const { architecture, recipe } = choices;
  let room = context.memory ?? dataDefaults.memory;
  const open = async (reference: DataReference, ...path: (string | number)[]): Promise<OpenedSet> => {
    const set = await openSet(reference, {
      base,
      runtime,
      target: architecture,
      seed: recipe.seed,
      field: path.join('.'),
      memory: room,
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      throw inPlace(parsed.where(path), error);
    });
    room -= set.kept;
    return set;
  };
  const train: TrainingPart[] = [];
  for (const [path, { share, ...reference }] of trainReferences(recipe))
    train.push({ set: await open(reference, ...path), ...(share === undefined ? {} : { share }) });
  const validation = await open(recipe.data.validation, 'data', 'validation');
  const test = recipe.data.test === undefined ? undefined : await open(recipe.data.test, 'data', 'test');
  placed(parsed.where(['batch']), () => planBatches(train, recipe));
  const notes = sharedSamples(
    train.map((part) => part.set),
    validation,
    test,
  );
  await refuseGaps(train, validation, architecture, parsed.where);
  if (parsed.card !== undefined) assertSameData(parsed.card, dataRecords({ train, validation, ...(test ? { test } : {}) }));
  const { optimiser, settings, schedule, augment, objective, crafting } = choices;
  const { epochs, batch, seed, clip, ema, earlyStop } = recipe;
  const task: Task = {
    architecture,
    objective,
    optimiser,
    settings,
    schedule,
    epochs,
    batch,
    seed,
    train,
    validation,
    augment,
    ...(clip === undefined ? {} : { clip }),
    ...(ema === undefined ? {} : { ema }),
    ...(earlyStop === undefined
      ? {}
      : { earlyStop: { patience: earlyStop.patience, ...(earlyStop.metric === undefined ? {} : { metric: earlyStop.metric }) } }),
    ...(crafting === undefined ? {} : { crafting }),
    ...(architecture.surrogates === undefined ? {} : { surrogates: architecture.surrogates }),
  };
  const sets = [...train.map((part) => part.set), validation, ...(test ? [test] : [])];
  return {
    name: recipe.name ?? context.name,
    recipe,
    choices,
    train,
    validation,
    ...(test === undefined ? {} : { test }),
    sets,
    task,
    notes,
    identity: sha256(JSON.stringify([version, withoutPlaces(recipe), sets.map((set) => set.sha256)])),
    recipeIn: (folder) => mapData(recipe, (reference) => movedTo(reference, base, folder)),
  };
}

/** What training would refuse is refused before a folder is begun. */
async function refuseGaps(
  train: readonly TrainingPart[],
  validation: OpenedSet,
  architecture: Task['architecture'],
  where: ParsedRecipe['where'],
): Promise<void> {
  const labels = await Promise.all(train.map(({ set }) => set.labels()));
  const held = await validation.labels();
  placed(where(['data', 'train']), () => requireClasses('training', labels.flat(), architecture));
  placed(where(['data', 'validation']), () => requireClasses('validation', held, architecture));
}

/** Errors of a check begin with the place in the recipe. */
function placed(place: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw inPlace(place, error);
  }
}

/** The sets of a training as a card records them. */
export function dataRecords({
  train,
  validation,
  test,
}: {
  readonly train: readonly TrainingPart[];
  readonly validation: OpenedSet;
  readonly test?: OpenedSet;
}): DataRecord[] {
  const record = (split: DataRecord['split'], { set, share }: TrainingPart): DataRecord => ({
    split,
    name: set.name,
    sha256: set.sha256,
    count: set.count,
    ...(share === undefined ? {} : { share }),
    ...(set.synthetic === undefined ? {} : { synthetic: set.synthetic }),
  });
  return [
    ...train.map((part) => record('train', part)),
    record('validation', { set: validation }),
    ...(test === undefined ? [] : [record('test', { set: test })]),
  ];
}

/** Each training reference with its place in the recipe. */
function trainReferences({ data }: Recipe): [path: (string | number)[], reference: TrainReference][] {
  return Array.isArray(data.train)
    ? data.train.map((reference, i) => [['data', 'train', i], reference])
    : [[['data', 'train'], data.train]];
}

function replaced(recipe: Recipe, { epochs, seed, data }: Overrides, base: string): Recipe {
  const changed = {
    ...recipe,
    ...(epochs === undefined ? {} : { epochs }),
    ...(seed === undefined ? {} : { seed }),
  };
  if (data === undefined) return changed;
  let used = false;
  const path = relative(base, resolve(data)) || '.';
  const moved = mapData(changed, (reference) => {
    if (!('path' in reference)) return reference;
    used = true;
    return { ...reference, path };
  });
  if (!used)
    throw new UserError('--data: no data of the recipe have a path', 'leave --data out, or give the data a format and a path');
  return moved;
}

/** A data path as seen from another folder, with "/" on every system. */
const movedTo = <R extends DataReference>(reference: R, base: string, folder: string): R =>
  'path' in reference
    ? { ...reference, path: (relative(resolve(folder), resolve(base, reference.path)) || '.').replaceAll('\\', '/') }
    : reference;

const withoutPlaces = ({ name: _, ...recipe }: Recipe): unknown =>
  mapData(recipe, (reference) => ('path' in reference ? { ...reference, path: '' } : reference));

/** The recipe with every data reference changed. */
function mapData<T extends Omit<Recipe, 'name'>>(recipe: T, change: <R extends DataReference>(reference: R) => R): T {
  const { train, validation, test } = recipe.data;
  return {
    ...recipe,
    data: {
      train: Array.isArray(train) ? train.map((reference) => change(reference)) : change(train),
      validation: change(validation),
      ...(test === undefined ? {} : { test: change(test) }),
    },
  };
}
