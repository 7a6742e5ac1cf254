/** @file Single files as samples, for one-off commands. */
import { basename } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { readNpy, readNpz } from '../../core/tensor/npy.ts';
import { numbersOf, type Tensor } from '../../core/tensor/tensor.ts';
import { adapt } from '../../kit/data/adapt.ts';
import { cut, frameShape, framesOf } from '../../kit/data/events/binning.ts';
import { isEventFile, readEvents } from '../../kit/data/events/formats.ts';
import { isClipFile, readClip } from '../../kit/data/events/saved-clip.ts';
import { inMemory } from '../../kit/data/events/sequential.ts';
import type { EventClip } from '../../kit/data/events/stream.ts';
import type { RawItem } from '../../kit/data/source.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import { attackedInputs, type InputSpec, type Model, type Sample, sampleAxis } from '../../kit/model/model.ts';
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

/**
 * Reads one file (an image, .npy, .npz with one array per input, or a recording of events) as a sample of the model. Throws a UserError that names the
 * file.
 */
export async function fileSample(path: string, model: Model, options: FileOptions = {}): Promise<Sample> {
  const adapted = adapt(await rawItem(path, model), model, { resize: options.resize ? 'bilinear' : 'none' });
  if ('reason' in adapted)
    throw new UserError(
      `${path}: ${adapted.reason}`,
      adapted.remedy ?? 'bring the file to what the model wants: provoke inspect MODEL prints it',
    );
  return adapted;
}

async function rawItem(path: string, model: Model): Promise<RawItem> {
  const bytes = await readUserFile(path, 'the input');
  const head = { id: basename(path), group: basename(path) };
  const [events, ...others] = Object.values(model.inputs).filter((spec) => spec.modality === 'events');
  if (events !== undefined && others.length === 0 && isEventFile(path)) {
    const clip = await eventClip(bytes, path, events);
    if (clip !== undefined) {
      const frames = { kind: 'array', shape: frameShape(clip), data: framesOf(clip) } as const;
      return { ...head, inputs: { '': frames }, events: { '': clip } };
    }
  }
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

/**
 * A recording as the model's frames: cut by the windows the file names, as saved examples do, else by number. undefined for an archive that holds no
 * recording. Throws a UserError where it cannot be cut.
 */
async function eventClip(bytes: Uint8Array, path: string, spec: InputSpec): Promise<EventClip | undefined> {
  if (path.endsWith('.npz') && !['x', 'y', 'p', 't'].every((key) => readNpz(bytes, path).has(key))) return undefined;
  const saved = isClipFile(path) ? await readClip(bytes, path) : undefined;
  if (saved !== undefined) return saved;
  const size = (letter: string): number => spec.shape[sampleAxis(spec, letter)] ?? 0;
  const stream = await readEvents(inMemory(bytes), path, { sensor: { width: size('W'), height: size('H') } });
  return cut(stream, { frames: size('T'), values: spec.domain === 'binary' ? 'binary' : 'count' }, `"${path}"`);
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
