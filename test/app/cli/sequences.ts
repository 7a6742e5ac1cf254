/** @file A tiny corpus of sequences, and a recipe over it that trains in a second. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeNpz } from '../../../src/core/tensor/npy.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, i64 } from '../../../src/core/tensor/tensor.ts';

export const classes = ['left', 'right', 'still'];

/** Writes the corpus: every class is a level of the first channel under noise. `labels` are the codes of one split's samples in turn. */
export async function writeSequences(folder: string, splits: Readonly<Record<string, readonly number[]>> = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  const all = { train: [0, 1, 2], validation: [0, 1, 2], test: [0, 1, 2], ...splits };
  for (const [split, codes] of Object.entries(all)) {
    const count = split === 'train' ? 48 : 12;
    const random = stream(0, 'sequences', split);
    const y = Array.from({ length: count }, (_, i) => codes[i % codes.length]!);
    const x = y.flatMap((code) => Array.from({ length: 32 }, (_, k) => (k < 16 ? code - 1 : 0) + 0.3 * random.normal()));
    await writeFile(join(folder, `${split}.npz`), writeNpz({ x: f32(x, [count, 2, 16]), y: i64(y) }));
  }
  await writeFile(join(folder, 'index.json'), JSON.stringify({ classes, synthetic: 'synthetic sequences of a test' }));
}

/** The recipe; `change` replaces or adds lines. */
export const recipe = (change: Readonly<Record<string, string>> = {}): string =>
  Object.values({
    name: 'name: tiny',
    model: 'model: { use: sequence-cnn, width: 4, kernel: 3 }',
    inputs: 'inputs: { x: { shape: [2, 16], layout: NCT, modality: physiology } }',
    classes: `classes: [${classes.join(', ')}]`,
    data: [
      'data:',
      ...['train', 'validation', 'test'].map((split) => `  ${split}: { format: sequences, path: seq, usage: ${split} }`),
    ].join('\n'),
    optimiser: 'optimiser: { use: adamw, lr: 0.01 }',
    epochs: 'epochs: 3',
    batch: 'batch: 16',
    ...change,
  }).join('\n');
