import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { figuresOf } from '../../../../src/kit/nn/export/evaluate.ts';
import { exportModel, type TrainingFacts } from '../../../../src/kit/nn/export/export.ts';
import { assertSameData, changedSince } from '../../../../src/kit/nn/export/provenance.ts';
import { isCard, readCard } from '../../../../src/kit/nn/export/read-card.ts';
import { asTrained, facts, normalised } from './trained.ts';

const runtime = createRuntime(ort as never, { threads: 1 });
const architecture = normalised();
const weights = asTrained(architecture);
const make = (more: Partial<TrainingFacts> = {}) => exportModel(weights, architecture, { runtime, provenance: facts(more) });
const plain = await make();

const sectionsOf = (card: string): string[] => [...card.matchAll(/^## (.*)$/gm)].map((m) => m[1]!);
const sectionOf = (card: string, title: string): string => card.split(`## ${title}\n`)[1]!.split('\n## ')[0]!;

describe('a model card', () => {
  it('has the sections of Mitchell et al. in their order', () => {
    expect(sectionsOf(plain.card)).toEqual([
      'Model details',
      'Intended use',
      'Factors',
      'Metrics',
      'Evaluation data',
      'Training data',
      'Quantitative analyses',
      'Ethical considerations',
      'Caveats and recommendations',
    ]);
  });

  it('holds what is needed to train the same weights again', () => {
    const { recipe, provenance } = readCard(plain.card);
    expect(recipe).toEqual(facts().recipe);
    expect(provenance).toEqual(plain.provenance);
    expect(provenance.runtime).toEqual({ threads: 1, optimization: 'all', providers: ['cpu'] });
    expect(provenance.weights).toMatchObject({ parameters: 6 * 27 + 12 + 8 * 54 + 8 + 16 + 2 * 72 + 2, statistics: 28 });
  });

  it('gives a recipe back whatever its texts and numbers look like', async () => {
    const recipe = {
      name: '007',
      classes: ['yes', 'no', 'null', '1e3', 'a: b', '# c', '---', "it's", 'ärgerlich', ' two  spaces '],
      optimiser: { use: 'adamw', lr: 0.1 + 0.2, weightDecay: 5e-324 },
      threat: { norm: 'linf', eps: '8/255' },
      text: `a long line ${'that goes on and on '.repeat(20)}\nand a second one`,
      nothing: null,
      list: [[1, [2]], {}, []],
    };
    expect(readCard((await make({ recipe })).card).recipe).toEqual(recipe);
  });

  it('survives the line ends and the byte order mark of other systems', () => {
    const other = `\uFEFF${plain.card.replaceAll('\n', '\r\n')}`;
    expect(readCard(other).recipe).toEqual(facts().recipe);
  });

  it('says "synthetic" before anything else where the data are', async () => {
    const synthetic = 'synthetic faces, warped from 6 photos';
    const data = facts().data.map((d) => ({ ...d, synthetic }));
    const { card, manifest } = await make({ data });
    expect(card.split('\n# ')[1]!.split('\n\n')[1]).toBe(
      '**All data are synthetic** (train: faces, validation: faces/validation). Numbers from them tell that the machinery works, and nothing about people.',
    );
    for (const title of ['Evaluation data', 'Training data']) expect(sectionOf(card, title)).toContain(`(${synthetic})`);
    expect(manifest).toContain('synthetic data: figures from it say nothing about people');
    expect(plain.card).not.toMatch(/synthetic/i);
    expect(plain.manifest).not.toMatch(/synthetic/i);
    const half = await make({ data: [data[0]!, facts().data[1]!] });
    expect(half.card).toContain('**Part of the data is synthetic** (train: faces)');
  });

  it('says of a defended model what it was trained against, and that robust accuracy was not measured', async () => {
    const recipe = { ...facts().recipe, defence: { use: 'pgd-at', steps: 7 }, threat: { norm: 'linf', eps: '8/255' } };
    const { card } = await make({ recipe });
    expect(sectionOf(card, 'Model details')).toContain('Defence: pgd-at (steps 7) against norm linf, eps 8/255');
    expect(sectionOf(card, 'Metrics')).toContain('Robust accuracy was **not measured**');
    expect(sectionOf(plain.card, 'Model details')).toContain('Defence: none, standard training');
    expect(sectionOf(plain.card, 'Metrics')).toContain('Robust accuracy was not measured.');
  });

  it('gives the robust accuracies that were measured, with what they were measured against', async () => {
    const robustness = [
      { split: 'test' as const, data: 'faces/test', attack: 'pgd', norm: 'linf', eps: 0.03, n: 40, clean: 30, right: 9 },
    ];
    const { card } = await make({ robustness });
    expect(card).toContain('| test: faces/test | pgd | linf | 0.03 | 75.0 % | 22.5 % | 12.3 % to 37.5 % | 40 |');
    expect(sectionOf(card, 'Metrics')).toContain('Robust accuracy was measured, against pgd');
    expect(readCard(card).provenance.robustness).toEqual(robustness);
  });

  it('names surrogates in card, manifest and front matter', async () => {
    const surrogates = [
      { match: { op: 'GreaterOrEqual' }, label: 'ATan (alpha 2)', rule: () => [] },
      { match: { op: 'Greater' }, label: 'ATan (alpha 2)', rule: () => [] },
    ];
    const made = await exportModel(weights, { ...architecture, surrogates } as never, { runtime, provenance: facts() });
    expect(made.provenance.surrogates).toEqual(['ATan (alpha 2)']);
    expect(made.manifest).toContain('trained through surrogate derivatives, which are not in the file');
    expect(sectionOf(made.card, 'Model details')).toContain('Surrogate derivatives: ATan (alpha 2)');
  });

  it('says that nothing was measured where nothing was', () => {
    expect(sectionOf(plain.card, 'Quantitative analyses').trim()).toBe('Nothing was measured.');
    expect(sectionOf(plain.card, 'Caveats and recommendations')).toContain('There was no test set.');
  });

  it('gives figures per class, and no rate for a class that does not occur', async () => {
    const wide = normalised(['calm', 'tense', 'absent']);
    const sample = async (i: number) => ({
      id: `${i}`,
      group: 'one',
      label: i % 2,
      inputs: { image: new Float32Array(192).fill(i / 8) },
    });
    const set = { name: 'ramps', count: 8, sha256: '', synthetic: 'synthetic ramps', sample };
    const { card, provenance } = await exportModel(asTrained(wide), wide, {
      runtime,
      provenance: facts(),
      evaluate: { test: set },
    });
    const rows = card.split('\n').filter((line) => /^\| (calm|tense|absent) \| \d+ \| (?:\d+\.\d %|none)/.test(line));
    expect(rows).toHaveLength(3);
    expect(rows[2]).toMatch(/^\| absent \| 0 \| none in the data \| {2}\| /);
    expect(provenance.evaluations[0]!.confusion.flat().reduce((a, b) => a + b)).toBe(8);
    expect(card).toContain('### test: ramps (synthetic ramps)');
    expect(card).toContain('test: 8 samples in 1 independent groups');
  });
});

describe('figuresOf', () => {
  it('counts rows as labels and columns as predictions', () => {
    const figures = figuresOf(
      [
        [3, 1, 0],
        [2, 2, 0],
        [0, 0, 0],
      ],
      ['a', 'b', 'c'],
    );
    expect(figures).toMatchObject({ n: 8, accuracy: 5 / 8, averageRecall: (3 / 4 + 2 / 4) / 2 });
    expect(figures.classes.map(({ n, recall, precision }) => ({ n, recall, precision }))).toEqual([
      { n: 4, recall: 3 / 4, precision: 3 / 5 },
      { n: 4, recall: 2 / 4, precision: 2 / 3 },
      { n: 0, recall: undefined, precision: undefined },
    ]);
  });
});

describe('the reader of cards', () => {
  it('tells a card from a recipe', () => {
    expect(isCard(plain.card)).toBe(true);
    expect(isCard('name: faces\nmodel: small-cnn\n')).toBe(false);
    expect(isCard('---\nname: faces\n---\n')).toBe(false);
  });

  it.each([
    ['without front matter', (card: string) => card.split('\n---\n')[1]!, 'x-card.md has no front matter'],
    ['cut short', (card: string) => card.slice(0, 300), 'x-card.md has no front matter'],
    ['that is not YAML', (card: string) => card.replace('name: toy', 'name: [toy'), 'x-card.md: the front matter is not YAML'],
    [
      'of something else',
      (card: string) => card.replace('provoke-model-card', 'readme'),
      'x-card.md is not a model card of provoke',
    ],
    [
      'of a later version',
      (card: string) => card.replace('version: 1\n', 'version: 2\n'),
      'x-card.md is a card of version 2, this provoke reads version 1',
    ],
    [
      'without a recipe',
      (card: string) => card.replace('\nrecipe:', '\nreceipt:'),
      'x-card.md: recipe: the card holds no recipe',
    ],
    [
      'with a damaged digest',
      (card: string) => card.replace('aaaaaaaa', ''),
      'x-card.md: data.0.sha256: a sha256 is 64 hexadecimal digits',
    ],
    ['without a seed', (card: string) => card.replace('\nseed: 3\n', '\n'), 'x-card.md: seed: '],
  ])('refuses a card %s', (_, damage, message) => {
    const text = damage(plain.card);
    expect(text).not.toBe(plain.card);
    expect(() => readCard(text, 'x-card.md')).toThrow(message);
  });

  it('refuses to go on with other data than those of the card', () => {
    const { provenance } = readCard(plain.card);
    const given = facts().data;
    expect(() => assertSameData(provenance, given)).not.toThrow();
    const other = given.map((d) => (d.split === 'train' ? { ...d, sha256: 'c'.repeat(64) } : d));
    expect(() => assertSameData(provenance, other)).toThrow(
      /^train data "faces" are not those of toy: 40 samples with sha256 cccccccccccc\.\.\., the card has 40 with aaaaaaaaaaaa\.\.\.$/,
    );
    expect(() => assertSameData(provenance, given.slice(0, 1))).toThrow('names 1 validation sets, 0 are given');
  });

  it('names what is not as it was when the card was written', () => {
    const { provenance } = readCard(plain.card);
    const now = { versions: facts().versions, runtime: runtime.options };
    expect(changedSince(provenance, now)).toEqual([]);
    expect(
      changedSince(provenance, {
        versions: { ...now.versions, onnxruntime: '1.31.0' },
        runtime: { ...runtime.options, threads: 2 },
      }),
    ).toEqual(['onnxruntime: 1.31.0 here, 1.30.0 in the card', 'threads: 2 here, 1 in the card']);
  });
});
