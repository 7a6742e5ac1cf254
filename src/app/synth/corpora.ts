/** @file The generated corpora that spiking networks are tried on, by name: recordings of event cameras in the formats real ones come in, and pictures. */
import { suggestion, UserError } from '../../core/errors.ts';
import { gestureDefaults } from '../../kit/data/synth/events/gestures/gesture.ts';
import { gestureCountDefault, wholeRecordings } from '../../kit/data/synth/events/gestures/recording.ts';
import { objectDefaults } from '../../kit/data/synth/events/objects/drift.ts';
import { pictureCountDefault } from '../../kit/data/synth/events/objects/picture-files.ts';
import { saccadeDefaults } from '../../kit/data/synth/events/saccades/saccade.ts';
import { synthGestures } from './gestures.ts';
import { objectCountDefault, synthObjects } from './objects.ts';
import { synthPictures } from './pictures.ts';
import { saccadeCountDefault, synthSaccades } from './saccades.ts';

export interface Making {
  /** The folder to make. */
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  /** Pixels of the sensor's sides; pictures have 32. */
  readonly size: number;
  /** Where to put a contact sheet. */
  readonly sheet?: string;
  /** Whether a corpus that is there is replaced. */
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

export interface Corpus {
  readonly title: string;
  /** Samples made where nothing is said. */
  readonly count: number;
  /** Pixels of the sensor's sides where nothing is said; undefined where there is no choice. */
  readonly size?: number;
  /** How many samples are made where so many are asked for; default: as many. */
  whole?(count: number): number;
  /** Writes the corpus; what was made, in a sentence. */
  make(making: Making): Promise<string>;
}

export const corpora: Readonly<Record<string, Corpus>> = {
  gestures: {
    title: 'gestures filmed by a simulated event camera, as DVS128 Gesture comes (format: dvs-gesture)',
    count: gestureCountDefault,
    size: gestureDefaults.size,
    whole: wholeRecordings,
    make: synthGestures,
  },
  saccades: {
    title: 'digits seen in three quick movements by a simulated event camera, as N-MNIST comes (format: n-mnist)',
    count: saccadeCountDefault,
    size: saccadeDefaults.size,
    make: synthSaccades,
  },
  objects: {
    title: 'textured shapes moved before a simulated event camera, as CIFAR10-DVS comes (format: cifar10-dvs)',
    count: objectCountDefault,
    size: objectDefaults.size,
    make: synthObjects,
  },
  pictures: {
    title: '32 x 32 colour pictures of ten shapes, as the binary version of CIFAR-10 comes (format: cifar10)',
    count: pictureCountDefault,
    make: synthPictures,
  },
};

/**
 * Makes a corpus at `out` with options as a file states them: count, seed and size. What was made, in a sentence. Throws a UserError for an unknown
 * corpus or option, and for values that are no whole numbers.
 */
export async function makeCorpus(
  name: string,
  out: string,
  options: Readonly<Record<string, unknown>> = {},
  onProgress: Making['onProgress'] = () => {},
): Promise<string> {
  const { corpus, count, seed, size = 0 } = wanted(name, options);
  return corpus.make({ out, count, seed, size, replace: false, onProgress });
}

/** What the note of a corpus made with these options says of it, as far as the options decide it. Throws as `makeCorpus` does. */
export function madeOf(name: string, options: Readonly<Record<string, unknown>> = {}): Record<string, string | number> {
  const { corpus, count, seed, size } = wanted(name, options);
  const made = corpus.whole?.(count) ?? count;
  return { by: `provoke synth ${name}`, count: made, seed, ...(size === undefined ? {} : { size }) };
}

function wanted(name: string, options: Readonly<Record<string, unknown>>) {
  const corpus = Object.hasOwn(corpora, name) ? corpora[name] : undefined;
  if (corpus === undefined) throw new UserError(`there is no synthetic corpus "${name}"`, suggestion(name, Object.keys(corpora)));
  const known = ['count', 'seed', ...(corpus.size === undefined ? [] : ['size'])];
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key)) throw new UserError(`the corpus ${name} has no option "${key}"`, suggestion(key, known));
    if (!Number.isSafeInteger(value) || (value as number) < (key === 'seed' ? 0 : 1))
      throw new UserError(`the corpus ${name}: ${key} is ${JSON.stringify(value)}`, 'it has to be a whole number');
  }
  const { count = corpus.count, seed = 0, size = corpus.size } = options as Partial<Record<string, number>>;
  return { corpus, count, seed, size };
}
