/** @file Training: epochs of batches, with validation, early stopping and checkpoints. What comes of it never depends on where it was interrupted. */
import { UserError } from '../../../core/errors.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import { stream } from '../../../core/tensor/random.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import { createOracle } from '../../model/make-oracle.ts';
import { liveSessions } from '../live.ts';
import { type StepOptions, settingsOf } from '../step-terms.ts';
import { openTrainer, type State, type Trainer } from '../trainer.ts';
import { planBatches } from './batches.ts';
import { checkTask } from './check-task.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { bestEpoch, type EpochRecord, metricDefault, nothingYet, outOfPatience, type Running } from './history.ts';
import { type LoaderOptions, loaderDefaults, openLoader, openShelf, type Shelf } from './loader.ts';
import { type Progress, soFar, startClock } from './progress.ts';
import { type StepScene, stepsOnBatch, totalSteps } from './steps.ts';
import type { BatchCrafter, CheckpointStore, Metric, Task } from './task.ts';
import { evaluate } from './validation.ts';

export interface FitOptions {
  readonly runtime: Runtime;
  /** Where checkpoints are kept; training goes on from the one that is there. Without it nothing is kept. */
  readonly store?: CheckpointStore;
  /** Hash of the recipe: what tells its checkpoints from those of others. */
  readonly identity: string;
  /** Checkpoints beside those at the end of every epoch: after so many batches, or so many seconds (60 unless said otherwise). */
  readonly every?: { readonly batches?: number; readonly seconds?: number };
  readonly loading?: Partial<LoaderOptions>;
  /** Once aborted, training keeps a checkpoint of the last whole batch and throws the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export const everyDefaults = { batches: Number.POSITIVE_INFINITY, seconds: 60 };

export interface Fitted {
  /** Weights and statistics for inference (averages where `ema` is on) of the epoch that did best on the validation set. */
  readonly best: { readonly epoch: number; readonly weights: State };
  /** Those of the last epoch. */
  readonly last: State;
  /** What `best` was chosen by. */
  readonly metric: Metric;
  readonly history: readonly EpochRecord[];
  readonly stoppedEarly: boolean;
  /** Steps of the optimiser. */
  readonly steps: number;
  /** Epoch (from 1) and batches of it that were done when this call went on; undefined where it began anew. */
  readonly resumedAt?: { readonly epoch: number; readonly batches: number };
}

/** Where training is: everything of a checkpoint but the trainer's and the crafter's own state. */
type Position = Omit<Checkpoint, 'identity' | 'data' | 'steps' | 'state' | 'craft'>;

/** A checkpoint without what trainer and crafter have taken up: that is as large as all of training, and would be kept beside it. */
const positionOf = ({ epoch, batches, running, history, stoppedEarly, best }: Checkpoint): Position => ({
  epoch,
  batches,
  running,
  history,
  stoppedEarly,
  best,
});

const beginning: Position = { epoch: 0, batches: 0, running: nothingYet, history: [], stoppedEarly: false, best: {} };

/**
 * Trains the task's network. Every random number follows from the seed, the sample and the step, so that the weights are the same bit for bit however
 * often training was interrupted, at a fixed number of runtime threads. Throws a UserError for data, options or a checkpoint that cannot be used, and
 * where loss or gradient stop being finite; the checkpoint before that is kept.
 */
export async function fit(task: Task, options: FitOptions): Promise<Fitted> {
  const { architecture, train, validation, crafting } = task;
  const { runtime, store, identity, signal = new AbortController().signal } = options;
  const batches = planBatches(train, task);
  const sets = [...train.map(({ set }) => set), validation];
  const loading = { ...loaderDefaults, ...options.loading };
  const shelf = openShelf(architecture, sets, { cacheBytes: loading.cacheBytes, apart: train.length > 1 });
  await checkTask(task, shelf, runtime.execute);
  const data = Object.fromEntries(
    sets.map(({ name, sha256 }, i) => [i < train.length ? `train ${name}` : `validation ${name}`, sha256]),
  );
  let held = store === undefined ? undefined : await readCheckpoint(store, { identity, data });
  const begun = held === undefined ? undefined : positionOf(held);
  const step = stepOptions(task);
  const trainer = await openTrainer(architecture, runtime, step);
  let crafter: BatchCrafter | undefined;
  try {
    if (held !== undefined) takeUp(trainer, held, store!.name);
    crafter = await crafting?.prepare({ trainer, runtime, seed: task.seed, batch: task.batch, signal });
    if (held !== undefined) crafter?.restore?.(held.craft);
    held = undefined;
    const load = openLoader(shelf, batches, loading);
    return await run(
      { task, runtime, step, trainer, crafter, perEpoch: batches.perEpoch },
      { load, shelf, data, begun, signal, options },
    );
  } finally {
    await crafter?.release();
    await trainer.release();
  }
}

interface Course {
  readonly load: ReturnType<typeof openLoader>;
  readonly shelf: Shelf;
  readonly data: Checkpoint['data'];
  /** Where a checkpoint goes on. */
  readonly begun: Position | undefined;
  readonly signal: AbortSignal;
  readonly options: FitOptions;
}

async function run(scene: StepScene, { load, shelf, data, begun, signal, options }: Course): Promise<Fitted> {
  const { task, trainer, crafter, perEpoch } = scene;
  const { store, identity, onProgress } = options;
  const { classes } = task.architecture;
  const metric = task.earlyStop?.metric ?? metricDefault;
  const { lr } = settingsOf(scene.step);
  const every = { ...everyDefaults, ...options.every };
  const sessions = await liveSessions(task.architecture, scene.runtime, () => trainer.weights());
  // anew for every epoch: what a network draws for a sample is then the same whenever it is judged
  const judge = () =>
    createOracle(sessions, { maxBatch: task.batch, signal, random: (of) => stream(task.seed, 'validation', of) });
  const clock = startClock();
  const resumedAt = begun && { epoch: begun.epoch + 1, batches: begun.batches };
  let position: Position = begun ?? beginning;
  let saved = { at: 0, batches: 0, what: begun === undefined ? undefined : described(begun) };

  const save = async (): Promise<void> => {
    if (store === undefined) return;
    const moving = { steps: trainer.steps, state: trainer.state(), craft: crafter?.state?.() ?? {} };
    await store.write(await writeCheckpoint({ ...position, ...moving, identity, data }));
    saved = { at: clock.now(), batches: 0, what: described(position) };
  };
  const tell = (running: Running, record?: EpochRecord): void => {
    const epochs = position.stoppedEarly ? 0 : task.epochs - position.epoch;
    const place =
      record === undefined ? { epoch: position.epoch + 1, step: position.batches } : { epoch: record.epoch, step: perEpoch };
    const secondsLeft = clock.left(epochs * perEpoch - position.batches, epochs);
    onProgress?.({ ...place, epochs: task.epochs, of: perEpoch, ...soFar(running), secondsLeft, ...(record && { record }) });
  };

  const oneBatch = async (): Promise<void> => {
    const began = clock.now();
    const at = { epoch: position.epoch, step: position.epoch * perEpoch + position.batches };
    const kept = saved.what === undefined ? 'no checkpoint was written before' : `${saved.what} is kept`;
    const running = await stepsOnBatch(scene, await load(at.step), at, position.running, kept);
    const seconds = clock.now() - began;
    position = { ...position, batches: position.batches + 1, running: { ...running, seconds: running.seconds + seconds } };
    clock.batchDone(seconds);
    tell(position.running);
    saved = { ...saved, batches: saved.batches + 1 };
    if (saved.batches >= every.batches || clock.now() - saved.at >= every.seconds) await save();
  };

  const endEpoch = async (): Promise<void> => {
    const began = clock.now();
    const { running } = position;
    const { count } = task.validation;
    const validation = await evaluate(judge(), (index) => shelf(task.train.length, index), {
      classes,
      count,
      batch: task.batch,
      signal,
    });
    const seconds = clock.now() - began;
    clock.validationDone(seconds);
    const record: EpochRecord = {
      epoch: position.epoch + 1,
      steps: trainer.steps,
      ...soFar(running),
      validation,
      lr: lr * task.schedule.rate(trainer.steps - 1, totalSteps(scene)),
      norm: { mean: running.norm / running.steps, max: running.largestNorm },
      seconds: running.seconds + seconds,
      rate: (perEpoch * task.batch) / running.seconds,
    };
    const history = [...position.history, record];
    const best = bestEpoch(history, metric) === record.epoch ? copied(trainer.weights()) : position.best;
    const stoppedEarly = record.epoch < task.epochs && outOfPatience(history, task.earlyStop);
    position = { epoch: record.epoch, batches: 0, running: nothingYet, history, stoppedEarly, best };
    await save();
    tell(running, record);
  };

  try {
    while (position.epoch < task.epochs && !position.stoppedEarly) {
      signal.throwIfAborted();
      if (position.batches < perEpoch) await oneBatch();
      else await endEpoch();
    }
  } catch (error) {
    // in the midst of several steps on one batch there is nothing to go on from: the checkpoint before stays
    const between = trainer.steps === (position.epoch * perEpoch + position.batches) * (crafter?.replay ?? 1);
    if (signal.aborted && error === signal.reason && between) await save();
    throw error;
  } finally {
    await sessions.release();
  }
  const { history, stoppedEarly, best } = position;
  return {
    best: { epoch: bestEpoch(history, metric), weights: best as State },
    last: copied(trainer.weights()),
    metric,
    history,
    stoppedEarly,
    steps: trainer.steps,
    ...(resumedAt === undefined ? {} : { resumedAt }),
  };
}

const stepOptions = ({ seed, objective, optimiser, settings, clip, ema, surrogates, crafting }: Task): StepOptions => ({
  seed,
  objective,
  optimiser,
  ...(settings === undefined ? {} : { settings }),
  ...(clip === undefined ? {} : { clip }),
  ...(ema === undefined ? {} : { ema }),
  ...(surrogates === undefined ? {} : { surrogates }),
  ...(crafting?.wrtInputs === undefined ? {} : { wrtInputs: crafting.wrtInputs }),
});

const copied = (weights: State): State =>
  Object.fromEntries(Object.entries(weights).map(([name, value]) => [name, { ...value, data: value.data.slice() }]));

const described = ({ epoch, batches }: Pick<Checkpoint, 'epoch' | 'batches'>): string =>
  batches === 0 ? `the checkpoint at the end of epoch ${epoch}` : `the checkpoint in epoch ${epoch + 1} after step ${batches}`;

/** The trainer goes on from a checkpoint. Throws a UserError where its network is another. */
function takeUp(trainer: Trainer, { state, steps }: Checkpoint, store: string): void {
  const shapes = (tensors: Readonly<Record<string, Tensor>>): string =>
    Object.entries(tensors)
      .map(([name, { dims }]) => `${name} [${dims}]`)
      .sort()
      .join();
  if (shapes(state) !== shapes(trainer.state()))
    throw new UserError(
      `${store} is a checkpoint of another network or optimiser, or of another version of this program`,
      'go on with the version that wrote it, or begin anew in another place',
    );
  trainer.set(state, steps);
}
