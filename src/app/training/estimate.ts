/** @file What a training would take, measured on its first steps: what `--dry-run` prints. */
import type { Runtime } from '../../core/runtime/runtime.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { buildNetwork } from '../../kit/nn/architecture.ts';
import { fit } from '../../kit/nn/fit/fit.ts';
import { duration } from '../report/format.ts';
import { nameOf } from './choices.ts';
import type { OpenedSet } from './data.ts';
import type { OpenedTraining } from './open.ts';

/** Steps that are made and thrown away; the first is not counted, it warms up. */
export const defaults = { steps: 4 } as const;

/** Data, steps, size and time of a training, as text. Trains a few steps and keeps nothing of them. */
export async function estimate(opened: OpenedTraining, runtime: Runtime, signal: AbortSignal): Promise<string> {
  const { task, recipe, train, validation, test, name } = opened;
  const { architecture, epochs, batch } = task;
  const { graph, parameters } = buildNetwork(architecture, { mode: 'inference', seed: 0 });
  const trained = parameters.reduce((sum, parameter) => sum + sizeOf(graph.initializers.get(parameter)!.dims), 0);
  const { seconds, perEpoch } = await timeSteps(opened, runtime, signal);
  const line = ({ name, count, perClass, problems }: OpenedSet): string =>
    `${name}, ${count} samples (${architecture.classes.map((c, i) => `${c} ${perClass[i]}`).join(', ')})${problems.length === 0 ? '' : `, ${problems.length} cannot be used`}`;
  return [
    `${name}: ${architecture.name}, ${trained} trained numbers; ${recipe.defence === undefined ? 'standard training' : nameOf(recipe.defence)}`,
    ...train.map(({ set, share }) => `train: ${line(set)}${share === undefined ? '' : `, share ${share}`}`),
    `validation: ${line(validation)}`,
    test === undefined ? 'test: none' : `test: ${line(test)}`,
    `${epochs} epochs of ${perEpoch} steps of ${batch} samples: ${epochs * perEpoch} steps`,
    seconds === undefined
      ? 'time: not measured, the whole training is shorter than the trial'
      : `one step takes ${duration(seconds)} here: about ${duration(seconds * epochs * perEpoch)} without validation`,
    '',
  ].join('\n');
}

async function timeSteps(
  { task, identity }: OpenedTraining,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<{ seconds?: number; perEpoch: number }> {
  const enough = new AbortController();
  let perEpoch = 0;
  const times: number[] = [];
  try {
    await fit(task, {
      runtime,
      identity,
      signal: AbortSignal.any([signal, enough.signal]),
      onProgress({ of }) {
        perEpoch = of;
        times.push(performance.now());
        if (times.length >= defaults.steps) enough.abort(enough);
      },
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
  return times.length < 2 ? { perEpoch } : { perEpoch, seconds: (times.at(-1)! - times[0]!) / 1000 / (times.length - 1) };
}
