/** What docs/training.md lists is what can be named in a recipe, and its recipes can be trained. PROVOKE_WRITE_TRAINING=1 writes the tables. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { choicesOf } from '../../src/app/training/choices.ts';
import { files } from '../../src/app/training/folder.ts';
import { parseRecipe } from '../../src/app/training/parse.ts';
import { recipeSchema } from '../../src/app/training/schema.ts';
import { floatOf } from '../../src/core/onnx/graph.ts';
import type { InputSpec } from '../../src/kit/model/model.ts';
import { buildNetwork, type Network } from '../../src/kit/nn/architecture.ts';
import { architectures } from '../../src/kit/nn/architectures/registry.ts';
import { averageDecay } from '../../src/kit/nn/averages.ts';
import { augmentations } from '../../src/kit/nn/fit/augment/registry.ts';
import { planBatches } from '../../src/kit/nn/fit/batches.ts';
import { metricDefault } from '../../src/kit/nn/fit/history.ts';
import type { TrainingSet } from '../../src/kit/nn/fit/task.ts';
import { batchNormDefaults } from '../../src/kit/nn/layers/batch-norm.ts';
import { optimisers } from '../../src/kit/nn/optimisers/registry.ts';
import { schedules } from '../../src/kit/nn/schedules.ts';
import type { OptionValue } from '../../src/kit/options.ts';
import { defences } from '../../src/methods/defences/registry.ts';

const path = new URL('../../docs/training.md', import.meta.url);
const [open, close] = ['<!-- tables -->', '<!-- /tables -->'];

interface Named {
  readonly name: string;
  readonly title?: string;
  readonly paper?: string;
  readonly defaults: Readonly<Record<string, OptionValue>>;
  readonly about: Readonly<Record<string, string>>;
}

/** One heading per registry, one entry per name, one line per option with its default. */
function listOf(title: string, all: Readonly<Record<string, Named>>): string {
  const entries = Object.values(all).map(({ name, title: what, paper, defaults, about }) => {
    const said = [what, paper].filter((s) => s !== undefined).join('; ');
    const options = Object.entries(defaults).map(([option, value]) => `  - \`${option}: ${value}\` ${about[option]}`);
    return [`- **${name}**${said === '' ? '' : `: ${said}`}`, ...options].join('\n');
  });
  return `### ${title}\n\n${entries.join('\n')}`;
}

/** A family for an input it takes, in inference. */
function networkOf(name: string, bounds: InputSpec['bounds']): Network {
  const ways: Readonly<Record<string, [shape: number[], layout: string]>> = {
    'sequence-cnn': [[3, 64], 'NCT'],
    'cnn-lstm': [[1, 261, 128], 'NCTF'],
  };
  const [shape, layout] = ways[name] ?? [[3, 32, 32], 'NCHW'];
  const family = architectures[name]!;
  const x: InputSpec = {
    shape,
    layout,
    bounds,
    dtype: 'float32',
    modality: 'features',
    unit: '',
    role: 'attacked',
    domain: 'continuous',
    storage: 'float32',
  };
  return buildNetwork(family.build({ inputs: { x }, classes: ['a', 'b'] }, family.defaults), { mode: 'inference', seed: 0 });
}

const tables = [
  listOf('Architectures', architectures),
  listOf('Optimisers', optimisers),
  listOf('Schedules', schedules),
  listOf('Augmentations', augmentations),
  listOf('Defences', defences as Readonly<Record<string, Named>>),
].join('\n\n');

if (process.env.PROVOKE_WRITE_TRAINING === '1') {
  const before = readFileSync(path, 'utf8');
  const [head, tail] = [before.split(open)[0]!, before.split(close)[1]!];
  writeFileSync(path, `${head}${open}\n\n${tables}\n\n${close}${tail}`);
}
const text = readFileSync(path, 'utf8');

describe('docs/training.md', () => {
  it('lists every architecture, optimiser, schedule, augmentation and defence with its options', () => {
    const again = 'write it again: PROVOKE_WRITE_TRAINING=1 npx vitest run --project unit test/docs/training.test.ts';
    expect(text.split(open)[1]?.split(close)[0]?.trim(), again).toBe(tables);
    expect(tables).not.toContain('undefined');
  });

  const recipes = [...text.matchAll(/```yaml\n(.*?)```/gs)].map((m) => m[1]!);

  it('shows recipes that can be trained', () => {
    expect(recipes).toHaveLength(2);
    for (const recipe of recipes) {
      const { value, where } = parseRecipe(recipe, 'docs/training.md');
      expect(choicesOf(value, where).architecture.classes).toHaveLength(7);
    }
  });

  it('shows every field a recipe may have', () => {
    const shown = recipes.join('\n');
    const absent = Object.keys(recipeSchema.shape).filter((field) => !new RegExp(`^${field}:`, 'm').test(shown));
    expect(absent).toEqual([]);
  });

  const differences = text.split('\n## How this differs from what PyTorch users expect\n')[1]?.split('\n## ')[0] ?? '';

  it('says which families map the bounds of their input', () => {
    const nodes = (family: string, bounds: InputSpec['bounds']): number => networkOf(family, bounds).graph.nodes.length;
    const mapping = Object.keys(architectures).filter((name) => nodes(name, { lower: 0, upper: 255 }) > nodes(name, 'unbounded'));
    const spiking = mapping.filter((name) => name.startsWith('spiking-'));
    expect(spiking).toHaveLength(3);
    expect(mapping).toEqual(['small-cnn', ...spiking]);
    expect(differences).toContain(`**Inputs**: small-cnn and the spiking networks map the \`bounds\` of an input to -1..1`);
  });

  it('says which families normalise by the batch otherwise than PyTorch', () => {
    const others = Object.keys(architectures).filter((name) => {
      const norms = networkOf(name, 'unbounded').graph.nodes.filter((node) => node.op === 'BatchNormalization');
      return norms.some((node) => Math.abs(floatOf(node, 'epsilon', 1e-5) - 1e-5) > 1e-9);
    });
    expect(others).toEqual(['cnn-lstm']);
    expect(differences).toMatch(/eps 1e-5 and momentum 0\.1 as in PyTorch; cnn-lstm's has Keras' eps 1e-3 and momentum 0\.01\b/);
    expect(batchNormDefaults).toMatchObject({ eps: 1e-5, momentum: 0.1 });
  });

  it('says how the decay of the averages warms up', () => {
    expect(differences).toContain('is min(d, (1 + t) / (10 + t))');
    for (const t of [1, 2, 50, 10_000]) expect(averageDecay(t, 0.99, true)).toBe(Math.min(0.99, (1 + t) / (10 + t)));
  });

  it('says what chooses the best epoch, and what becomes of the last batch', () => {
    expect(metricDefault).toBe('loss');
    expect(differences).toContain('the one with the least validation loss, unless `earlyStop.metric` says otherwise');
    const set: TrainingSet = { name: 'a', sha256: '', count: 22, sample: () => Promise.reject(new Error('not read')) };
    const { perEpoch, draws } = planBatches([{ set }], { batch: 4, seed: 0 });
    expect(perEpoch).toBe(5);
    expect(draws(4)).toHaveLength(4);
    expect(differences).toContain('the last partial batch is dropped');
  });

  it('names every file a training writes', () => {
    expect(Object.values(files).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
