/** @file The main job: train, hand out the best weights, judge what was handed out, and write everything beside the checkpoint. */
import { stringify } from 'yaml';
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { Problem } from '../../kit/data/source.ts';
import type { LabelledSet } from '../../kit/nn/export/evaluate.ts';
import type { Exported } from '../../kit/nn/export/export.ts';
import type { DataRecord, Provenance } from '../../kit/nn/export/provenance.ts';
import { writeWeights } from '../../kit/nn/export/weights.ts';
import { type FitOptions, type Fitted, fit } from '../../kit/nn/fit/fit.ts';
import type { EpochRecord } from '../../kit/nn/fit/history.ts';
import type { Progress } from '../../kit/nn/fit/progress.ts';
import { version } from '../host/version.ts';
import { nameOf } from './choices.ts';
import { exportExactly } from './export-exactly.ts';
import { type Folder, files, formatVersion } from './folder.ts';
import { dataRecords, type OpenedTraining } from './open.ts';
import type { Robustness, TrainingPage } from './page/page-data.ts';
import { renderTraining } from './page/render.ts';
import { quickPgd, unmeasurable } from './robustness.ts';
import type { Recipe } from './schema.ts';
import { versionsHere } from './since-card.ts';

export interface TrainOptions {
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly every?: FitOptions['every'];
  onProgress(progress: Progress): void;
  /** Called while the finished model is judged. */
  onJudging(what: string, share: number): void;
}

/** What training.json holds once training is over. */
export interface TrainingRecord {
  readonly format: number;
  readonly identity: string;
  readonly state: 'finished';
  readonly name: string;
  readonly recipe: Recipe;
  /** ISO 8601. */
  readonly ended: string;
  readonly settings: { readonly threads: number };
  readonly metric: string;
  readonly bestEpoch: number;
  readonly stoppedEarly: boolean;
  /** Training alone, over all its parts. */
  readonly seconds: number;
  /** How the data were made that are not recordings: figures from them say nothing about people. Absent where all are recordings. */
  readonly synthetic?: Readonly<Partial<Record<DataRecord['split'], readonly string[]>>>;
  readonly history: readonly EpochRecord[];
  readonly provenance: Provenance;
  readonly robustness?: Robustness;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

export interface Trained {
  readonly record: TrainingRecord;
  readonly fitted: Fitted;
  /** Path of the learning-curve page. */
  readonly page: string;
}

/** Trains an opened recipe in a folder, going on from the checkpoint that is there, and writes all files of the model. */
export async function train(opened: OpenedTraining, folder: Folder, options: TrainOptions): Promise<Trained> {
  const { runtime, signal, every } = options;
  const fitted = await fit(opened.task, {
    runtime,
    store: folder.checkpoint,
    identity: opened.identity,
    signal,
    onProgress: options.onProgress,
    ...(every === undefined ? {} : { every }),
  });
  // before anything that may fail: what took hours is on disk
  const kept = await folder.write(files.weights, writeWeights(fitted.best.weights));
  const { exported, robustness, notes } = await handOut(opened, fitted, { folder, kept }, options);
  const record = recordOf(opened, fitted, folder, {
    exported,
    runtime,
    notes,
    ...(robustness === undefined ? {} : { robustness }),
  });
  await folder.write(files.model, exported.onnx);
  await folder.write(files.manifest, exported.manifest);
  await folder.write(files.card, exported.card);
  const page = await folder.write(files.page, await renderTraining(pageOf(opened, record)));
  await folder.write(files.record, `${JSON.stringify(record, null, 2)}\n`);
  return { record, fitted, page };
}

/** The best weights as a file, and what the file says of the data; robust accuracy is that of the very bytes that are handed out. */
async function handOut(
  opened: OpenedTraining,
  fitted: Fitted,
  { folder, kept }: { readonly folder: Folder; readonly kept: string },
  { runtime, signal, onJudging }: TrainOptions,
): Promise<{ exported: Exported; robustness?: Robustness; notes: readonly string[] }> {
  const { choices, name, task, test, validation } = opened;
  const { threats } = choices;
  const provenance = {
    name,
    seed: task.seed,
    versions: versionsHere,
    training: {
      epochs: fitted.history.length,
      steps: fitted.steps,
      bestEpoch: fitted.best.epoch,
      stoppedEarly: fitted.stoppedEarly,
      seconds: secondsOf(fitted),
    },
    recipe: opened.recipeIn(folder.path),
    data: dataRecords(opened),
    averaged: task.ema !== undefined,
  };
  const exporting = (more: object, evaluate: Partial<Record<'validation' | 'test', LabelledSet>>) =>
    exportExactly(fitted.best.weights, task.architecture, { runtime, provenance: { ...provenance, ...more }, evaluate }, kept);
  const sets = { validation, ...(test === undefined ? {} : { test }) };
  const note = threats === undefined ? undefined : unmeasurable(threats);
  if (threats === undefined || note !== undefined) {
    onJudging('export', 0);
    const { exported, notes } = await exporting({}, sets);
    return { exported, notes: note === undefined ? notes : [...notes, note] };
  }
  const { onnx } = (await exporting({}, {})).exported;
  const robustness = await quickPgd(onnx, test ?? validation, threats, {
    runtime,
    name,
    split: test === undefined ? 'validation' : 'test',
    seed: task.seed,
    ...(task.architecture.trainedThrough === undefined ? {} : { trainedThrough: task.architecture.trainedThrough }),
    signal,
    progress: (share) => onJudging('robust accuracy', share),
  });
  return { ...(await exporting({ robustness: [robustness] }, sets)), robustness };
}

const secondsOf = ({ history }: Pick<Fitted, 'history'>): number => history.reduce((sum, epoch) => sum + epoch.seconds, 0);

function recordOf(
  opened: OpenedTraining,
  fitted: Fitted,
  folder: Folder,
  made: { exported: Exported; robustness?: Robustness; runtime: Runtime; notes: readonly string[] },
): TrainingRecord {
  return {
    format: formatVersion,
    identity: opened.identity,
    state: 'finished',
    name: opened.name,
    recipe: opened.recipeIn(folder.path),
    ended: new Date().toISOString(),
    settings: { threads: made.runtime.options.threads },
    metric: fitted.metric,
    bestEpoch: fitted.best.epoch,
    stoppedEarly: fitted.stoppedEarly,
    seconds: secondsOf(fitted),
    ...syntheticOf(made.exported.provenance),
    history: fitted.history,
    provenance: made.exported.provenance,
    ...(made.robustness === undefined ? {} : { robustness: made.robustness }),
    problems: opened.sets.flatMap((set) => set.problems),
    notes: [...opened.notes, ...made.notes],
  };
}

/** By split, so that it stands beside every figure of it in the record. */
function syntheticOf({ data }: Provenance): Pick<TrainingRecord, 'synthetic'> {
  const made = data.flatMap(({ split, synthetic }) => (synthetic === undefined ? [] : [{ split, synthetic }]));
  if (made.length === 0) return {};
  const ways = (of: DataRecord['split']): string[] => [...new Set(made.filter((d) => d.split === of).map((d) => d.synthetic))];
  return { synthetic: Object.fromEntries(made.map(({ split }) => [split, ways(split)])) };
}

/** The page of a record: what training.json holds, so that a page can be made again. */
const pageOf = ({ choices }: OpenedTraining, record: TrainingRecord): TrainingPage => ({
  name: record.name,
  version,
  date: record.ended,
  inputs: choices.architecture.inputs,
  classes: choices.architecture.classes,
  recipe: stringify(record.recipe),
  model: choices.architecture.name,
  ...(record.recipe.defence === undefined ? {} : { defence: nameOf(record.recipe.defence) }),
  history: record.history,
  bestEpoch: record.bestEpoch,
  metric: record.metric,
  stoppedEarly: record.stoppedEarly,
  seconds: record.seconds,
  provenance: record.provenance,
  ...(record.robustness === undefined ? {} : { robustness: record.robustness }),
  problems: record.problems,
  notes: record.notes,
  files: [
    [files.model, 'the model, for inference; its manifest is inside it too'],
    [files.manifest, 'bounds, layout and classes'],
    [files.card, 'what it is, what it is for, and the recipe to train it again'],
    [files.weights, 'parameters and statistics under their training names'],
    [files.checkpoint, 'the whole training, to go on from'],
    [files.record, 'everything on this page as JSON'],
  ],
});
