/** @file The attacks an experiment names, with their options checked; a user's own come from a file. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../core/errors.ts';
import type { Attack } from '../../methods/attacks/attack.ts';
import { attackNamed, readOptions } from '../../methods/attacks/registry.ts';
import type { PlannedAttack } from '../experiment/plan.ts';
import type { ExperimentFile } from '../experiment/schema.ts';

/** Resolves the `attacks` list; an attack used twice without a name of its own is numbered. */
export async function loadAttacks(entries: ExperimentFile['attacks'], base: string): Promise<PlannedAttack[]> {
  const planned: PlannedAttack[] = [];
  for (const entry of entries) {
    const { use, as, ...given } = typeof entry === 'string' ? { use: entry, as: undefined } : entry;
    const attack = /\.m?js$/.test(use) ? await ownAttack(resolve(base, use)) : attackNamed(use);
    const name = as ?? attack.name;
    const clash = (label: string) => planned.some((p) => p.label === label);
    if (as !== undefined && clash(as))
      throw new UserError(`attacks: two of them are named "${as}"`, 'give each its own name with `as`');
    let label = name;
    for (let i = 2; clash(label); i++) label = `${name}-${i}`;
    planned.push({ label, attack, options: readOptions(attack, given) });
  }
  return planned;
}

async function ownAttack(path: string): Promise<Attack> {
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
  const missing = (['name', 'needs', 'kind', 'norms', 'modalities', 'defaults', 'run'] as const).filter(
    (key) => attack?.[key] === undefined,
  );
  if (attack === undefined || missing.length > 0) {
    throw new UserError(
      `the attack file "${path}" exports no attack: ${missing.join(', ')} missing`,
      'see docs/own-attack.md for the contract',
    );
  }
  return attack as Attack;
}
