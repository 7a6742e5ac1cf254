/** @file The attacks there are, by name, and how their options are read. A new attack is one file and one line here. */
import { suggestion, UserError } from '../../core/errors.ts';
import { type OptionValue, readOptions as readAll } from '../../kit/options.ts';
import type { Attack } from './attack.ts';
import { bim } from './bim.ts';
import { fgsm } from './fgsm.ts';
import { mifgsm } from './mifgsm.ts';
import { noise } from './noise.ts';
import { pgd } from './pgd.ts';

export const attacks: Readonly<Record<string, Attack>> = { noise, fgsm, bim, pgd, mifgsm };

/** The attack of that name; throws a UserError with the nearest name otherwise. */
export function attackNamed(name: string): Attack {
  const attack = Object.hasOwn(attacks, name) ? attacks[name] : undefined;
  if (attack === undefined) throw new UserError(`there is no attack "${name}"`, suggestion(name, Object.keys(attacks)));
  return attack;
}

/** The attack's defaults overlaid with what was given; see kit/options.ts. */
export const readOptions = (attack: Attack, given: Readonly<Record<string, unknown>>): Readonly<Record<string, OptionValue>> =>
  readAll(attack, given);
