import { describe, expect, it } from 'vitest';
import { niceTicks } from '../../../src/app/report/axes.ts';
import { headlineSentence } from '../../../src/app/training/page/headline.ts';
import type { TrainingPage } from '../../../src/app/training/page/page-data.ts';
import { renderTraining } from '../../../src/app/training/page/render.ts';

const hash = '0'.repeat(64);

function page(over: Partial<TrainingPage> = {}): TrainingPage {
  const data = (['train', 'validation', 'test'] as const).map((split) => ({ split, name: 'faces', sha256: hash, count: 10 }));
  return {
    name: 'tiny',
    version: '1.2.3',
    date: '2026-01-02T03:04:05.000Z',
    inputs: {
      x: {
        shape: [2],
        layout: 'NC',
        dtype: 'float32',
        modality: 'features',
        unit: 'value',
        role: 'attacked',
        domain: 'continuous',
        bounds: 'unbounded',
        storage: 'float32',
      },
    },
    classes: ['a', 'b'],
    recipe: 'epochs: 2',
    model: 'small-cnn',
    history: [1, 2].map((epoch) => ({
      epoch,
      steps: 5 * epoch,
      loss: 1 / epoch,
      accuracy: 0.25 * epoch,
      validation: { loss: 1.5 / epoch, accuracy: 0.3 * epoch, recall: 0.2 * epoch, recalls: [0.2, 0.2] },
      lr: 0.01,
      norm: { mean: 1, max: 2 },
      seconds: 1,
      rate: 10,
    })),
    bestEpoch: 2,
    metric: 'loss',
    stoppedEarly: false,
    seconds: 2,
    provenance: {
      name: 'tiny',
      classes: ['a', 'b'],
      seed: 0,
      data,
      versions: { provoke: '1.2.3' },
      runtime: { threads: 1, optimization: 'all', providers: ['cpu'] },
      training: { epochs: 2, steps: 10 },
      weights: { sha256: hash, parameters: 5, statistics: 0, averaged: false },
      exported: { sha256: hash, difference: 1e-7, samples: 10, drawn: true, folded: true },
      evaluations: [
        {
          split: 'test',
          data: 'faces',
          n: 10,
          groups: 10,
          loss: 0.5,
          confusion: [
            [4, 1],
            [2, 3],
          ],
        },
      ],
    },
    problems: [],
    notes: [],
    files: [['model.onnx', 'the model']],
    ...over,
  };
}

const robustness = { split: 'test', data: 'faces', attack: 'pgd', norm: 'linf', eps: 0.1, n: 8, clean: 6, right: 2 } as const;

describe('the page of a training', () => {
  it('says in its first sentence what was counted', () => {
    expect(headlineSentence(page())).toBe('tiny recognises 7 of 10 test samples (70.0%; chance among 2 classes: 50.0%).');
    expect(headlineSentence(page({ robustness }))).toContain('at most 0.1 per value leaves 2 of the 6 it recognised among 8.');
  });

  it('loads nothing, runs nothing, and keeps text text', async () => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>';
    const made = await renderTraining(page({ name: evil, classes: [evil, 'b'], recipe: evil, defence: evil, robustness }));
    expect(made).not.toContain('<script');
    expect(made).not.toContain('<img');
    expect(made).toContain("script-src 'none'");
    expect(made.match(/https?:\/\/|url\(|@import/g)).toBeNull();
  });

  it('shows every epoch, marks the one that was kept, and says when data are synthetic', async () => {
    const base = page();
    const made = await renderTraining(base);
    expect(made).toContain('training, epoch 1: 1; training, epoch 2: 0.5');
    expect(made).toContain('2 (kept)');
    expect(made).not.toContain('Synthetic data');
    expect(made.split('</head>')[1]).not.toMatch(/synthetic/i);
    const data = base.provenance.data.map((d) => ({ ...d, synthetic: 'synthetic faces' }));
    const generated = await renderTraining(page({ provenance: { ...base.provenance, data }, robustness }));
    expect(generated).toContain('<b>Synthetic data.</b> All samples were generated');
    for (const figure of [
      'recognises 7 of 10 synthetic test samples',
      'Accuracy on synthetic test data',
      'an upper bound, on synthetic test data; 95% interval',
      'mean cross-entropy of clean synthetic samples',
      'on augmented synthetic samples',
      'on the synthetic validation data',
      'All epochs: training on synthetic samples, validation on synthetic samples',
      'Clean synthetic test data, n = 10',
      'is recognised, synthetic test data',
    ])
      expect(generated.replaceAll('\u00a0', ' ')).toContain(figure);
  });

  it('says by each number that training data alone are synthetic, in part', async () => {
    const base = page();
    const [train, ...others] = base.provenance.data;
    const data = [train!, { ...train!, name: 'made', synthetic: 'synthetic faces' }, ...others];
    const made = await renderTraining(page({ provenance: { ...base.provenance, data } }));
    expect(made).toContain('on augmented partly synthetic samples');
    expect(made).toContain('Accuracy on test data');
    expect(made).toContain('All epochs: training on partly synthetic samples</caption>');
  });

  it('shows what readers of the figures should know', async () => {
    expect(await renderTraining(page({ notes: ['shared samples'] }))).toContain('<li class="warn">shared samples</li>');
  });

  it('says on which samples training accuracy was counted', async () => {
    const crafted = await renderTraining(page({ defence: 'pgd-at' }));
    expect(crafted).toContain('Training is counted while the weights moved, on what pgd-at made of the samples');
    const clean = await renderTraining(page({ defence: 'trades' }));
    expect(clean).toContain('what the steps minimised, while the weights moved, on what trades made of the samples');
    expect(clean).toContain('Training is counted while the weights moved, on augmented samples');
  });

  it('leaves out what is not finite', async () => {
    const history = page().history.map((e) => ({
      ...e,
      norm: { mean: Number.POSITIVE_INFINITY, max: Number.POSITIVE_INFINITY },
    }));
    const made = await renderTraining(page({ history }));
    expect(made).toContain('was never finite');
    expect(made).not.toMatch(/(?:points|cx|cy|d)="[^"]*(?:NaN|Infinity)/);
  });

  it('puts ticks at round numbers inside the axis', () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(0, 3.1, 5)).toEqual([0, 1, 2, 3]);
    expect(niceTicks(1, 12, 6)).toEqual([2, 4, 6, 8, 10, 12]);
  });
});
