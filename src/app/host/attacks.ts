/** @file The attacks an experiment names, with their options checked; a user's own come from a file. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../core/errors.ts';
import { readSpikes, type SpikesReference } from '../../kit/spiking/choose.ts';
import type { Attack } from '../../methods/attacks/attack.ts';
import { attackNamed, readOptions } from '../../methods/attacks/registry.ts';
import type { PlannedAttack } from '../experiment/plan.ts';
import type { ExperimentFile } from '../experiment/schema.ts';
import { readUserFile, sha256 } from './files.ts';

/** Resolves the `attacks` list; an attack used twice without a name of its own is numbered. */
export async function loadAttacks(entries: ExperimentFile['attacks'], base: string): Promise<PlannedAttack[]> {
  const planned: PlannedAttack[] = [];
  for (const entry of entries) {
    const { use, as, spikes, ...given } = typeof entry === 'string' ? { use: entry, as: undefined, spikes: undefined } : entry;
    const own = /\.m?js$/.test(use) ? await ownAttack(resolve(base, use)) : undefined;
    const attack = own?.attack ?? attackNamed(use);
    const name = as ?? attack.name;
    const clash = (label: string) => planned.some((p) => p.label === label);
    if (as !== undefined && clash(as))
      throw new UserError(`attacks: two of them are named "${as}"`, 'give each its own name with `as`');
    let label = name;
    for (let i = 2; clash(label); i++) label = `${name}-${i}`;
    const options = readOptions(attack, given);
    planned.push({
      label,
      attack,
      options,
      ...(own === undefined ? {} : { sha256: own.sha256 }),
      ...(spikes === undefined
        ? {}
        : { spikes: spikes as SpikesReference, coupled: coupledBy(label, spikes as SpikesReference, attack) }),
    });
  }
  return planned;
}

/** Whether the choice couples the samples of a pass. Throws a UserError for an unknown one, and for an attack that looks at no gradient. */
function coupledBy(label: string, spikes: SpikesReference, { needs }: Attack): boolean {
  if (needs !== 'gradient')
    throw new UserError(`attack ${label} looks at no gradient: spikes would change nothing`, 'leave spikes out');
  return readSpikes(spikes)?.coupled ?? false;
}

/** What a file has to state of its attack; title and paper are for lists and reports only. */
const required = ['name', 'needs', 'kind', 'norms', 'modalities', 'targeted', 'defaults', 'about', 'passes', 'run'] as const;

async function ownAttack(path: string): Promise<{ attack: Attack; sha256: string }> {
  const code = await readUserFile(path, 'the attack file');
  let loaded: { default?: Partial<Attack> };
  try {
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw new UserError(
      `the attack file "${path}" cannot be loaded: ${(cause as Error).message}`,
      'it must be an ES module that exports an attack as default',
      { cause },
    );
  }
  const attack = loaded.default;
  const missing = required.filter((key) => attack?.[key] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      `the attack file "${path}" exports no attack: ${missing.join(', ')} missing`,
      'export default { name, needs, ... }: docs/own-code.md has the contract and an example',
    );
  }
  return { attack: attack as Attack, sha256: sha256(code) };
}
