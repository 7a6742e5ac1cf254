/** @file The synthetic sequences in the data format `sequences`: index.json and an archive per split. */
import { writeNpz } from '../../../core/tensor/npy.ts';
import { f32, i64, type Tensor } from '../../../core/tensor/tensor.ts';
import { type SequenceIndexFile, sequenceIndexName } from '../sequence-index.ts';
import { makeSequence, type Sequence, type SequenceOptions, sequenceClasses, sequenceSettings } from './sequences.ts';
import { enough, splitNames } from './splits.ts';

export const sequenceCountDefault = 3000;

export interface SequenceFilesOptions extends SequenceOptions {
  count?: number;
  /** Called after every so many sequences. */
  onProgress?(done: number, of: number): void;
}

const channelNames = ['acc-x', 'acc-y', 'acc-z', 'gyro-x', 'gyro-y', 'gyro-z'];

/** Files of the corpus by name: index.json, train.npz, validation.npz, test.npz. The same options give the same bytes. */
export function sequenceFiles({
  count = sequenceCountDefault,
  onProgress,
  ...options
}: SequenceFilesOptions = {}): Record<string, Uint8Array> {
  const settings = sequenceSettings(options);
  const { classes, channels, rate, subjects, ripple } = settings;
  enough(count, classes);
  const made = Array.from({ length: count }, (_, i) => {
    if (i % 100 === 0) onProgress?.(i, count);
    return makeSequence(i, settings);
  });
  const index: SequenceIndexFile = {
    format: 'sequences',
    version: 1,
    classes: sequenceClasses(classes),
    channels: Array.from({ length: channels }, (_, c) => channelNames[c] ?? `channel-${c + 1}`),
    rate,
    unit: 'standard deviations of the movement',
    splits: Object.fromEntries(splitNames.map((split) => [split, `${split}.npz`])),
    labelsAre: 'the actions the sequences were generated for',
    synthetic: `synthetic sequences: ${classes} kinds of rhythmic movement of ${subjects} invented subjects (none in two splits), each with a small class-coded ripple of amplitude ${ripple}`,
    made: { by: 'provoke synth sequences', count, ...settings },
  };
  const archives = splitNames.map(
    (split) =>
      [
        `${split}.npz`,
        archive(
          made.filter((s) => s.split === split),
          settings,
        ),
      ] as const,
  );
  return {
    [sequenceIndexName]: new TextEncoder().encode(`${JSON.stringify(index, null, 1)}\n`),
    ...Object.fromEntries(archives),
  };
}

function archive(sequences: readonly Sequence[], { channels, steps }: Required<SequenceOptions>): Uint8Array {
  const size = channels * steps;
  const x = new Float32Array(sequences.length * size);
  for (const [i, { values }] of sequences.entries()) x.set(values, i * size);
  const subject: Tensor = { dtype: 'string', dims: [sequences.length], data: sequences.map((s) => s.subject) };
  return writeNpz(
    { x: f32(x, [sequences.length, channels, steps]), y: i64(sequences.map((s) => s.label)), subject },
    { compress: false },
  );
}
