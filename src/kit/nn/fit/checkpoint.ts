/** @file A training as bytes: everything it goes on from, in one .npz whose digest tells a whole file from a damaged one. */
import { UserError } from '../../../core/errors.ts';
import { readNpz, writeNpz } from '../../../core/tensor/npy.ts';
import { bytesOf, type NumericDType, type Tensor, tensor } from '../../../core/tensor/tensor.ts';
import { digest } from '../../data/digest.ts';
import type { EpochRecord, Running } from './history.ts';
import type { CheckpointStore } from './task.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export interface Checkpoint {
  /** Hash of the recipe, as the caller makes it: a checkpoint goes on only in the training it came from. */
  readonly identity: string;
  /** sha256 of every set, training sets first. */
  readonly data: Readonly<Record<string, string>>;
  /** Epoch that is under way, from 0; the number of epochs where all are done. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batches: number;
  /** Steps of the trainer. */
  readonly steps: number;
  readonly running: Running;
  readonly history: readonly EpochRecord[];
  readonly stoppedEarly: boolean;
  /** The trainer's whole state. */
  readonly state: Tensors;
  /** Weights of the best epoch; empty before the first epoch is over. */
  readonly best: Tensors;
  /** What a defence carries from batch to batch. */
  readonly craft: Tensors;
}

const format = 1;
const groups = ['state', 'best', 'craft'] as const;
const metaName = 'checkpoint';
const json = { encode: new TextEncoder(), decode: new TextDecoder() };

/** The bytes of a checkpoint: equal checkpoints give equal bytes. The tensors must not change until it resolves. */
export async function writeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array> {
  const members: Record<string, Tensor> = {};
  for (const group of groups) for (const [name, value] of Object.entries(checkpoint[group])) members[`${group}/${name}`] = value;
  const { state: _, best: __, craft: ___, ...facts } = checkpoint;
  const about = { format, ...facts };
  const text = JSON.stringify({ ...about, digest: await digestOf(members, about) });
  const bytes = json.encode.encode(text);
  return writeNpz({ ...members, [metaName]: tensor('uint8', [bytes.length], bytes) }, { compress: false });
}

/**
 * Reads a checkpoint back, or undefined where there is none. Throws a UserError that names the file where it is cut short, damaged, no checkpoint,
 * of another recipe, or of other data.
 */
export async function readCheckpoint(
  store: CheckpointStore,
  { identity, data }: Pick<Checkpoint, 'identity' | 'data'>,
): Promise<Checkpoint | undefined> {
  const bytes = await store.read();
  if (bytes === undefined) return undefined;
  const members = archiveOf(bytes, store.name);
  const meta = members.get(metaName);
  const about = meta?.dtype === 'uint8' ? parsed(json.decode.decode(meta.data)) : undefined;
  if (about === undefined || about.format === undefined)
    throw new UserError(`${store.name} is not a checkpoint of a training`, `remove it, or name another place for the results`);
  if (about.format !== format)
    throw new UserError(
      `${store.name} is a checkpoint of format ${String(about.format)}, and this version reads format ${format}`,
      'go on with the version that wrote it, or begin anew in another place',
    );
  members.delete(metaName);
  const { digest: told, ...facts } = about;
  const held = Object.fromEntries(members);
  if ((await digestOf(held, facts)) !== told) throw damaged(store.name, 'its content does not match its digest');
  const stated = facts as unknown as Omit<Checkpoint, 'state' | 'best' | 'craft'>;
  if (stated.identity !== identity)
    throw new UserError(
      `${store.name} is a checkpoint of another recipe`,
      'go on with the recipe it was made with, or begin anew in another place',
    );
  for (const [name, sha256] of Object.entries(data))
    if (stated.data[name] !== sha256)
      throw new UserError(
        `${store.name} is a checkpoint of other data: "${name}" has changed since`,
        'bring the data back, or begin anew in another place',
      );
  const group = (prefix: (typeof groups)[number]): Tensors =>
    Object.fromEntries(
      Object.entries(held).flatMap(([name, value]) =>
        name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), value]] : [],
      ),
    );
  return { ...stated, state: group('state'), best: group('best'), craft: group('craft') };
}

const damaged = (name: string, why: string, cause?: unknown): UserError =>
  new UserError(`${name} is damaged: ${why}`, 'remove it and begin anew, or bring back a copy of it', { cause });

function archiveOf(bytes: Uint8Array, name: string): Map<string, Tensor> {
  try {
    return readNpz(bytes, name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw damaged(name, 'it is cut short, or was not written by a training', error);
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Over every name, type, shape and value, and the facts beside them. */
async function digestOf(members: Tensors, facts: object): Promise<string> {
  const sum = digest();
  await sum.add(JSON.stringify(facts));
  for (const name of Object.keys(members).sort()) {
    const value = members[name]!;
    await sum.add(`${name} ${value.dtype} ${value.dims.join()}`);
    await sum.add(bytesOf(value as Tensor<NumericDType>));
  }
  return sum.finish();
}
