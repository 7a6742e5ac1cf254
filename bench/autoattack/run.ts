/**
 * @file `npm run -s autoattack`: the authors' AutoAttack, ours and the suite worst-case on one net trained against PGD, with several seeds each; what every
 * seed left standing goes into docs/AUTOATTACK.md and docs/robustness/autoattack.json. Started again, it goes on where it was.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readJson } from '../../src/app/experiment/store.ts';
import { writeWhole } from '../../src/app/host/files.ts';
import { runtimeVersion } from '../../src/app/host/runtime.ts';
import { attackNamed } from '../../src/methods/attacks/registry.ts';
import { figuresOf, type Results } from './figures.ts';
import { page } from './page.ts';
import { prepareVictim } from './prepare.ts';
import { type Attacked, openVictim, type Victim } from './victim.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '0,1,2,3,4' },
    samples: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    docs: { type: 'string', default: 'docs' },
  },
});
const seeds = values.seeds.split(',').map(Number);
const { experiment, folder } = await prepareVictim(Number(values.samples));
const kept = join(folder, `results-${values.samples}`);
await mkdir(kept, { recursive: true });
await mkdir(join(values.docs, 'robustness'), { recursive: true });
const victim = await openVictim(experiment, Number(values.threads));
const results: Results = {
  samples: victim.samples.length,
  right: victim.right,
  norm: victim.norm,
  eps: victim.eps,
  model: { sha256: victim.bench.model.sha256, classes: victim.bench.model.classes.length },
  data: victim.bench.data.name,
  synthetic: victim.synthetic ?? null,
  seeds,
  pgd10: await ours(victim, 'pgd', { steps: 10 }),
  autoattack: await ours(victim, 'autoattack', {}),
  worstCase: await ours(victim, 'worst-case', {}),
  original: (await theirs(victim)) ?? {},
  versions: { onnxruntime: runtimeVersion, node: process.version },
};
await victim.release();
const figures = figuresOf(results);
await writeFile(join(values.docs, 'robustness', 'autoattack.json'), `${JSON.stringify({ ...results, figures }, brief, 1)}\n`);
await writeFile(join(values.docs, 'AUTOATTACK.md'), page(results, figures));
process.stdout.write(page(results, figures));

/** Lists of yes and no as a line of 1 and 0; no seconds, for nothing kept the machine free while these ran: the benchmark measures time. */
function brief(key: string, value: unknown): unknown {
  if (key === 'seconds') return undefined;
  return (key === 'stands' || key === 'right') && Array.isArray(value) ? value.map((yes) => (yes ? 1 : 0)).join('') : value;
}

/** One of our attacks with every seed. */
async function ours({ attack }: Victim, name: string, options: Record<string, unknown>): Promise<Attacked[]> {
  const all: Attacked[] = [];
  for (const seed of seeds) all.push(await remembered(`${name}-${seed}`, () => attack(attackNamed(name), options, seed)));
  return all;
}

/** The authors' code with every seed; undefined where it is not installed and no results are kept. */
async function theirs(of: Victim): Promise<{ version: string; runs: Attacked[] } | undefined> {
  const file = join(kept, 'original.json');
  const known = existsSync(file) ? await readJson<{ version: string; seeds: number[]; runs: Attacked[] }>(file) : undefined;
  if (known?.seeds?.join() === seeds.join()) return known;
  const started = await of.peer();
  if (started === undefined) return undefined;
  const runs: Attacked[] = [];
  for (const seed of seeds)
    runs.push(await remembered(`original-${seed}`, async () => JSON.parse(await started.ask(String(seed))) as Attacked));
  started.close();
  const made = { version: started.version, seeds, runs };
  await writeWhole(file, JSON.stringify(made));
  return made;
}

async function remembered(name: string, make: () => Promise<Attacked>): Promise<Attacked> {
  const path = join(kept, `${name}.json`);
  if (existsSync(path)) return readJson<Attacked>(path);
  process.stderr.write(`${name}\n`);
  const made = await make();
  await writeWhole(path, JSON.stringify(made));
  return made;
}
