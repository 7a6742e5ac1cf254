/** @file Which samples make which batch: a pure function of the seed and the number of the batch, so that training can start anywhere. */
import { UserError } from '../../../core/errors.ts';
import { type Stream, stream } from '../../../core/tensor/random.ts';
import type { TrainingPart } from './task.ts';

/** A sample in a batch. */
export interface Draw {
  /** Index into the task's training sets. */
  readonly set: number;
  readonly index: number;
  /** How often its set was gone through before. */
  readonly pass: number;
}

export interface Batches {
  /** Batches of an epoch. */
  readonly perEpoch: number;
  /** Samples of batch `step` of the whole training, from 0. */
  draws(step: number): readonly Draw[];
}

/**
 * Sets without shares are shuffled into one, anew in every pass. Sets with shares each give the same number of samples to every batch (largest remainder)
 * and go round at their own pace; an epoch then is as many batches as all samples together fill. What is left of a pass when no whole batch can be
 * made of it is dropped: batch statistics of a few samples would disturb a step, and the next pass has another order.
 * Throws a UserError for an empty set, a batch larger than the data, and shares that do not go together.
 */
export function planBatches(
  parts: readonly TrainingPart[],
  { batch, seed }: { readonly batch: number; readonly seed: number },
): Batches {
  if (parts.length === 0) throw new UserError('there is no training set', 'name one under data: train');
  if (!Number.isInteger(batch) || batch < 1)
    throw new UserError(`a batch of ${batch} samples`, 'give batch a whole number, e.g. 64');
  const twice = parts.find(({ set }, i) => parts.some((other, k) => k < i && other.set.name === set.name));
  if (twice !== undefined) throw new UserError(`two training sets are called "${twice.set.name}"`, 'give each a name of its own');
  for (const { set } of parts)
    if (set.count === 0) throw new UserError(`the training set "${set.name}" is empty`, 'check its path, usage and labels');
  const total = parts.reduce((sum, { set }) => sum + set.count, 0);
  if (batch > total)
    throw new UserError(
      `a batch of ${batch} is larger than the training data (${total} samples)`,
      `set batch to ${total} or less, or add data`,
    );
  const perEpoch = Math.floor(total / batch);
  const shares = parts.map((part) => part.share);
  if (shares.every((share) => share === undefined)) return { perEpoch, draws: shuffledTogether(parts, batch, seed) };
  return { perEpoch, draws: inShares(parts, slotsOf(parts, batch), seed) };
}

function shuffledTogether(parts: readonly TrainingPart[], batch: number, seed: number): Batches['draws'] {
  const places = parts.flatMap(({ set }, s) => Array.from({ length: set.count }, (_, index) => ({ set: s, index })));
  const perPass = Math.floor(places.length / batch);
  const order = remembered((pass) => shuffled(places.length, stream(seed, 'order', pass)));
  return (step) => {
    const pass = Math.floor(step / perPass);
    const from = (step % perPass) * batch;
    return Array.from(order(pass).subarray(from, from + batch), (i) => ({ ...places[i]!, pass }));
  };
}

function inShares(parts: readonly TrainingPart[], slots: readonly number[], seed: number): Batches['draws'] {
  const wheels = parts.map(({ set }, s) => {
    const perPass = Math.floor(set.count / slots[s]!);
    const order = remembered((pass) => shuffled(set.count, stream(seed, 'order', set.name, pass)));
    return (step: number): Draw[] => {
      const pass = Math.floor(step / perPass);
      const from = (step % perPass) * slots[s]!;
      return Array.from(order(pass).subarray(from, from + slots[s]!), (index) => ({ set: s, index, pass }));
    };
  });
  return (step) => wheels.flatMap((wheel) => wheel(step));
}

/** Samples each set gives to a batch. */
function slotsOf(parts: readonly TrainingPart[], batch: number): number[] {
  const shares = parts.map(({ set, share }) => {
    if (share === undefined)
      throw new UserError(`the training set "${set.name}" has no share, and another has one`, 'give every set a share, or none');
    if (!(share > 0) || !Number.isFinite(share))
      throw new UserError(`the share of the training set "${set.name}" is ${share}`, 'give it a number above 0, e.g. 0.5');
    return share;
  });
  const sum = shares.reduce((a, b) => a + b, 0);
  const exact = shares.map((share) => (share / sum) * batch);
  const slots = exact.map(Math.floor);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - slots[b]! - (exact[a]! - slots[a]!) || a - b);
  const left = batch - slots.reduce((a, b) => a + b, 0);
  for (const s of byRemainder.slice(0, left)) slots[s] = slots[s]! + 1;
  for (const [s, { set }] of parts.entries()) {
    if (slots[s] === 0)
      throw new UserError(
        `the share of the training set "${set.name}" is less than one sample of a batch of ${batch}`,
        'enlarge its share or the batch',
      );
    if (slots[s]! > set.count)
      throw new UserError(
        `the training set "${set.name}" has ${set.count} samples, and its share of a batch of ${batch} is ${slots[s]}`,
        'make its share or the batch smaller, or add data to it',
      );
  }
  return slots;
}

/** Fisher and Yates's shuffle of 0 .. n - 1. */
function shuffled(n: number, random: Stream): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const k = random.integer(i + 1);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  return order;
}

/** The last two results, which batches loaded ahead ask for in turn. */
function remembered<T>(make: (key: number) => T): (key: number) => T {
  const known = new Map<number, T>();
  return (key) => {
    const held = known.get(key);
    if (held !== undefined) return held;
    const made = make(key);
    known.set(key, made);
    const [oldest] = known.keys();
    if (known.size > 2) known.delete(oldest!);
    return made;
  };
}
