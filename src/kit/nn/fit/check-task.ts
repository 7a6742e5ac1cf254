/** @file What has to hold of a task before training starts, told at once rather than after hours. */
import { UserError } from '../../../core/errors.ts';
import { intOf } from '../../../core/onnx/graph.ts';
import { type Execute, inferShapes } from '../../../core/onnx/passes/shapes.ts';
import type { Architecture } from '../architecture.ts';
import { requireSeed } from '../net.ts';
import { writeForward } from '../step.ts';
import { checkLabel, type Shelf } from './loader.ts';
import type { Task, TrainingSet } from './task.ts';

/** Samples asked for at the same time. */
const together = 64;

/**
 * Throws a UserError for numbers that make no training, an augmentation of no input, an empty validation set, labels and classes that do not fit, and
 * batch statistics of single values.
 */
export async function checkTask(task: Task, shelf: Shelf, execute: Execute): Promise<void> {
  const { architecture, train, validation, epochs, earlyStop } = task;
  requireSeed(task.seed);
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new UserError(`training for ${epochs} epochs`, 'give epochs a whole number above 0');
  if (earlyStop !== undefined && (!Number.isInteger(earlyStop.patience) || earlyStop.patience < 1))
    throw new UserError(`a patience of ${earlyStop.patience} epochs`, 'give earlyStop: patience a whole number above 0');
  for (const { name, suits } of task.augment ?? [])
    if (!Object.values(architecture.inputs).some(suits))
      throw new UserError(
        `the augmentation "${name}" means nothing for ${Object.entries(architecture.inputs)
          .map(([input, { layout, modality }]) => `input "${input}" (${modality}, ${layout})`)
          .join(', ')}`,
        'leave it out, or state the true layout under inputs',
      );
  if (validation.count === 0)
    throw new UserError(`the validation set "${validation.name}" is empty`, 'check its path, usage and labels');
  const labels = await Promise.all(train.map(({ set }, s) => labelsOf(set, (index) => shelf(s, index), architecture)));
  requireClasses('training', labels.flat(), architecture);
  requireClasses('validation', await labelsOf(validation, (index) => shelf(train.length, index), architecture), architecture);
  if (task.batch === 1) await refuseSingleValues(task, execute);
}

/** A batch of 1 gives a normalisation of one place per sample a single value per channel: nothing has a variance, and the running one would become NaN. */
async function refuseSingleValues(task: Task, execute: Execute): Promise<void> {
  const { whole } = writeForward(task.architecture, task);
  const shapes = await inferShapes(whole, execute);
  for (const node of whole.nodes) {
    if (node.op !== 'BatchNormalization' || intOf(node, 'training_mode', 0) !== 1) continue;
    const [x, scale] = node.inputs as [string, string];
    const { dims, batchAxes = [] } = shapes.get(x)!;
    if (!batchAxes.includes(0) || dims.slice(2).some((n) => n !== 1)) continue;
    throw new UserError(
      `a batch of 1 has a single value per channel where "${scale}" scales what is normalised by the batch, and one value has no variance`,
      'set batch to 2 or more, or use a normalisation without the batch (norm: group, where the model has that option)',
    );
  }
}

/** Every label of a set; read from the samples where the set cannot tell them. Throws a UserError for one that is no class. */
async function labelsOf(
  set: TrainingSet,
  sample: (index: number) => Promise<{ readonly label: number }>,
  { classes }: Pick<Architecture, 'classes'>,
): Promise<readonly number[]> {
  if (set.labels !== undefined) {
    const labels = await set.labels();
    if (labels.length !== set.count) throw new Error(`"${set.name}" tells ${labels.length} labels of ${set.count} samples`);
    for (const [i, label] of labels.entries()) checkLabel(label, `sample ${i} of "${set.name}"`, classes);
    return labels;
  }
  const labels: number[] = [];
  for (let start = 0; start < set.count; start += together) {
    const size = Math.min(together, set.count - start);
    const samples = await Promise.all(Array.from({ length: size }, (_, i) => sample(start + i)));
    labels.push(...samples.map(({ label }) => label));
  }
  return labels;
}

/** Throws a UserError that names the classes a split has no sample of. */
export function requireClasses(
  split: 'training' | 'validation',
  labels: Iterable<number>,
  { classes }: Pick<Architecture, 'classes'>,
): void {
  const seen = new Set(labels);
  const missing = classes.filter((_, i) => !seen.has(i));
  if (missing.length === 0) return;
  const names = missing.map((name) => `"${name}"`).join(', ');
  throw new UserError(
    `the ${split} data have no sample of ${missing.length === 1 ? 'the class' : `${missing.length} of ${classes.length} classes:`} ${names}`,
    split === 'training'
      ? 'add samples of them, map a label of the data to them (labels), or take them out of classes'
      : 'split the data so that every class is in both parts, or take the class out of classes and of the training data',
  );
}
