/** @file How a synthetic corpus is divided: by the sample's number alone, so that a larger corpus holds the smaller one. */
import { UserError } from '../../../core/errors.ts';

export type Split = 'train' | 'validation' | 'test';

export const splitNames: readonly Split[] = ['train', 'validation', 'test'];

/** Of 20 rounds (one sample per class each) 14 train, 3 validate, 3 test, spread so that a small corpus has all three. */
const rounds: readonly Split[] = Array.from('TTTVTTETTVTTETTVTTET', (letter) =>
  letter === 'T' ? 'train' : letter === 'V' ? 'validation' : 'test',
);

export interface Place {
  readonly split: Split;
  /** Index of the class. */
  readonly label: number;
}

/** Where sample `index` belongs: classes take turns, and each round of them goes to one split. */
export const placeOf = (index: number, classes: number): Place => ({
  split: rounds[Math.floor(index / classes) % rounds.length]!,
  label: index % classes,
});

/** Samples below which a split would lack a class. */
export const fewest = (classes: number): number => (rounds.indexOf('test') + 1) * classes;

/** Throws a UserError where a corpus of `count` samples would leave a split without one of its classes. */
export function enough(count: number, classes: number): void {
  if (count >= fewest(classes)) return;
  throw new UserError(
    `${count} samples are too few for ${classes} classes in three splits`,
    `ask for ${fewest(classes)} or more (--count)`,
  );
}
