/** @file Single files as samples, for one-off commands. */
import { basename } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { readNpy, readNpz } from '../../core/tensor/npy.ts';
import { numbersOf, type Tensor } from '../../core/tensor/tensor.ts';
import { adapt } from '../../kit/data/adapt.ts';
import type { RawItem } from '../../kit/data/source.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import { attackedInputs, type Model, type Sample } from '../../kit/model/model.ts';
import { predict } from '../../kit/model/predict.ts';
import { openSessions } from '../../kit/model/sessions.ts';
import { forwardSeconds } from '../experiment/pace.ts';
import type { ModelReference } from '../experiment/schema.ts';
import { readUserFile } from './files.ts';
import { decodeImage } from './images.ts';
import { defaults } from './limits.ts';
import { loadModel } from './models.ts';
import { nodeRuntime } from './runtime.ts';

export interface FileOptions {
  readonly output?: string;
  readonly manifest?: string;
  readonly resize?: boolean;
}

export interface Prediction {
  readonly input: string;
  readonly classes: Readonly<Record<string, number>>;
  readonly prediction: string;
}

/** Reads one file (an image, .npy, or .npz with one array per input) as a sample of the model. Throws a UserError that names the file. */
export async function fileSample(path: string, model: Model, options: FileOptions = {}): Promise<Sample> {
  const adapted = adapt(await rawItem(path), model, { resize: options.resize ? 'bilinear' : 'none' });
  if ('reason' in adapted)
    throw new UserError(
      `${path}: ${adapted.reason}`,
      adapted.remedy ?? 'bring the file to what the model wants: provoke inspect MODEL prints it',
    );
  return adapted;
}

async function rawItem(path: string): Promise<RawItem> {
  const bytes = await readUserFile(path, 'the input');
  const head = { id: basename(path), group: basename(path) };
  if (path.endsWith('.npz'))
    return { ...head, inputs: Object.fromEntries([...readNpz(bytes, path)].map(([name, t]) => [name, arrayOf(t)])) };
  if (path.endsWith('.npy')) return { ...head, inputs: { '': arrayOf(readNpy(bytes, path)) } };
  try {
    return { ...head, inputs: { '': await decodeImage(bytes) } };
  } catch (cause) {
    throw new UserError(`${path}: ${(cause as Error).message}`, 'give a PNG, JPEG, WebP or TIFF image, or an .npy/.npz array', {
      cause,
    });
  }
}

const arrayOf = (t: Tensor) => ({ kind: 'array' as const, shape: t.dims, data: Float32Array.from(numbersOf(t)) });

/** Class probabilities of files. */
export async function predictFiles(
  reference: ModelReference,
  paths: readonly string[],
  options: FileOptions & { readonly allow?: (seconds: number) => void },
): Promise<{ predictions: Prediction[]; classes: readonly string[] }> {
  const runtime = nodeRuntime();
  const { model } = await loadModel(reference, { base: process.cwd(), runtime });
  const samples = [];
  for (const path of paths) samples.push(await fileSample(path, model, options));
  const sessions = openSessions(model, runtime);
  options.allow?.(defaults.opening + defaults.slack * samples.length * (await forwardSeconds(model, sessions)));
  const results = await predict(
    createOracle(sessions, { maxBatch: 16 }),
    samples.map((s) => s.inputs),
  );
  await sessions.release();
  const predictions = results.map(({ probabilities, prediction }, i) => ({
    input: paths[i]!,
    classes: Object.fromEntries(model.classes.map((c, k) => [c, probabilities[k]!])),
    prediction: model.classes[prediction]!,
  }));
  return { predictions, classes: model.classes };
}

/** The one attacked input, for commands that take a single budget. */
export function onlyAttackedInput(model: Model): string {
  const names = attackedInputs(model);
  if (names.length === 1) return names[0]!;
  throw new UserError(
    `${model.name} has ${names.length} attacked inputs: ${names.join(', ')}`,
    'write an experiment file with a budget for each',
  );
}
