/**
 * @file `npm run -s robustness -- NAME RECIPE RECIPE ... [options]`: trains every recipe with every seed, attacks the exported models on the test split, and
 * writes what each recipe gains over the first into docs/ROBUSTNESS.md and docs/robustness/NAME.json. Started again, it goes on where it was.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf } from './figures.ts';
import { type Made, make, type Plan } from './made.ts';
import { section, withSection } from './page.ts';

const usage = `usage: npm run -s robustness -- NAME RECIPE RECIPE ... [options]
  --seeds 0,1,2     seeds of the trainings
  --data PATH       the corpus of the recipes
  --epochs N        instead of those of the recipes
  --samples 500     most test samples that are attacked
  --steps 50        steps of PGD
  --restarts 3      starts of PGD
  --threads 2
  --work DIR        trainings and runs (default: runs/robustness/NAME)
  --docs DIR        where ROBUSTNESS.md is (default: docs)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '0,1,2' },
    data: { type: 'string' },
    epochs: { type: 'string' },
    samples: { type: 'string', default: '500' },
    steps: { type: 'string', default: '50' },
    restarts: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    work: { type: 'string' },
    docs: { type: 'string', default: 'docs' },
  },
});
const [name, ...recipes] = positionals;
if (name === undefined || recipes.length < 2) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  const plan: Plan = {
    recipes,
    seeds: values.seeds.split(',').map((seed) => whole(seed, '--seeds', 0)),
    ...(values.data === undefined ? {} : { data: values.data }),
    ...(values.epochs === undefined ? {} : { epochs: whole(values.epochs, '--epochs') }),
    samples: whole(values.samples, '--samples'),
    steps: whole(values.steps, '--steps'),
    restarts: whole(values.restarts, '--restarts'),
    threads: whole(values.threads, '--threads'),
    work: values.work ?? join('runs', 'robustness', name),
  };
  const figures = figuresOf(plan, await makeAll(plan));
  const text = section(name, figures);
  const page = join(values.docs, 'ROBUSTNESS.md');
  await mkdir(join(values.docs, 'robustness'), { recursive: true });
  await writeFile(join(values.docs, 'robustness', `${name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
  await writeFile(page, withSection(existsSync(page) ? await readFile(page, 'utf8') : undefined, name, text));
  process.stdout.write(text);
}

/** By recipe and seed; seed by seed, so that an interrupted experiment has whole comparisons first. */
async function makeAll(plan: Plan): Promise<Made[][]> {
  const { recipes, seeds } = plan;
  const made: Made[][] = recipes.map(() => []);
  let begun = 0;
  for (const seed of seeds)
    for (const [r, recipe] of recipes.entries()) {
      begun++;
      const of = `[${begun}/${recipes.length * seeds.length}] ${recipe}, seed ${seed}`;
      made[r]!.push(await make(plan, recipe, seed, (what) => process.stderr.write(`${of}: ${what}\n`)));
    }
  return made;
}

function whole(text: string, option: string, least = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${option} takes whole numbers of at least ${least}, not "${text}"`);
  return value;
}
