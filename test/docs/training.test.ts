/** What docs/training.md lists is what can be named in a recipe, and its recipes can be trained. PROVOKE_WRITE_TRAINING=1 writes the tables. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { choicesOf } from '../../src/app/training/choices.ts';
import { files } from '../../src/app/training/folder.ts';
import { parseRecipe } from '../../src/app/training/parse.ts';
import { recipeSchema } from '../../src/app/training/schema.ts';
import { architectures } from '../../src/kit/nn/architectures/registry.ts';
import { augmentations } from '../../src/kit/nn/fit/augment/registry.ts';
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

  it('names every file a training writes', () => {
    expect(Object.values(files).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
