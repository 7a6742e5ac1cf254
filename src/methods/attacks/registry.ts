/** @file The attacks there are, by name. A new attack is one file and one line here. */
import { findNamed } from '../../core/errors.ts';
import type { Attack } from './attack.ts';
import { bim } from './bim.ts';
import { fgsm } from './fgsm.ts';
import { mifgsm } from './mifgsm.ts';
import { noise } from './noise.ts';
import { pgd } from './pgd.ts';

export const attacks: Readonly<Record<string, Attack>> = { noise, fgsm, bim, pgd, mifgsm };

/** The attack of that name; throws a UserError with the nearest name otherwise. */
export const attackNamed = (name: string): Attack => findNamed('attack', attacks, name);

export { readOptions } from '../../kit/options.ts';
