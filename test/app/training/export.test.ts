/** What becomes of a training whose network cannot be exported as exactly as it should. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { files, openFolder } from '../../../src/app/training/folder.ts';
import { openTraining } from '../../../src/app/training/open.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { type Trained, train } from '../../../src/app/training/train.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import type { Architecture } from '../../../src/kit/nn/architecture.ts';
import { readCard } from '../../../src/kit/nn/export/read-card.ts';
import { readWeights } from '../../../src/kit/nn/export/weights.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { averagePool } from '../../../src/kit/nn/layers/pooling.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { type Layer, sequential } from '../../../src/kit/nn/net.ts';
import { cancelling } from '../../kit/nn/export/trained.ts';
import { inFolder } from '../cli/provoke.ts';
import { pictures, recipe, runtime } from './tiny.ts';

const signal = new AbortController().signal;

/** Trains these layers instead of those of the recipe, for an epoch that moves them little. */
async function trainLayers(
  at: string,
  layers: readonly Layer[],
  more = '',
): Promise<{ out: string; architecture: Architecture; trained: Promise<Trained> }> {
  await mkdir(join(at, 'data'));
  await writeFile(join(at, 'data', 'faces.csv'), pictures());
  const text = recipe(more).replace('lr: 0.002', 'lr: 1e-6').replace('epochs: 2', 'epochs: 1');
  const opened = await openTraining(parseRecipe(text, 'tiny.yaml'), {}, { base: at, name: 'tiny', runtime, signal });
  const body = sequential(...layers);
  const architecture: Architecture = { ...opened.task.architecture, write: (net, inputs) => body(net, inputs.image!) };
  const changed = { ...opened, task: { ...opened.task, architecture }, choices: { ...opened.choices, architecture } };
  const out = join(at, 'out');
  const folder = await openFolder(out, opened.identity, { resume: false, overwrite: false, threads: 1 });
  const options = { runtime, signal, onProgress: () => {}, onJudging: () => {} };
  return { out, architecture, trained: train(changed, folder, options).finally(folder.release) };
}

const small: Layer = averagePool([8, 8]);

it.each([
  ['', 'without a threat'],
  ['threat: { norm: linf, eps: 1/255 }', 'with one'],
])('where folding is inexact, the model is exported unfolded and says so, %s', async (more) => {
  await inFolder(async (at) => {
    const layers = [small, flatten, cancelling(4, (initialiseBias) => dense(4, { initialiseBias })), dense(7)];
    const { out, trained } = await trainLayers(at, layers, more);
    const { record } = await trained;
    expect(record.notes).toEqual([
      expect.stringMatching(/^normalisation is not folded into the weights of the model: folded, its logits differed by \d/),
    ]);
    const { provenance } = readCard(await readFile(join(out, files.card), 'utf8'));
    expect(provenance.exported.folded).toBe(false);
    expect(provenance.exported.difference).toBeLessThan(1e-5);
    expect(provenance.robustness ?? []).toHaveLength(more === '' ? 0 : 1);
    expect(readModel(await readFile(join(out, files.model))).nodes.map((n) => n.op)).toContain('BatchNormalization');
  });
});

it('where the unfolded model differs too, the weights are kept, and the message says where', async () => {
  await inFolder(async (at) => {
    // what the runtime folds by itself
    const layers = [small, cancelling(4, (initialiseBias) => convolution(4, [3, 3], { initialiseBias })), flatten, dense(7)];
    const { out, architecture, trained } = await trainLayers(at, layers);
    const error = await trained.then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining('learning rate') });
    const kept = join(out, files.weights);
    expect((error as Error).message).toMatch(/the exported network differs from the trained one by \d/);
    expect((error as Error).message).toContain(`no model was written, and the trained weights are kept in ${kept}`);
    expect(Object.keys(readWeights(await readFile(kept), architecture, kept))).toContain('1.sums.weight');
    expect(existsSync(join(out, files.checkpoint))).toBe(true);
    expect(existsSync(join(out, files.model))).toBe(false);
  });
});
