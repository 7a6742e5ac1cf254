/** @file The attacks there are, by name, and how their options are read. A new attack is one file and one line here. */
import { suggestion, UserError } from '../../core/errors.ts';
import { parseEps } from '../../kit/threat/parse-eps.ts';
import type { Attack, OptionValue } from './attack.ts';
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

/**
 * The attack's defaults overlaid with what was given in an experiment file or on the command line, where everything is text.
 * Throws a UserError naming attack and option for an unknown option, a wrong type or a value the attack refuses.
 */
export function readOptions(attack: Attack, given: Readonly<Record<string, unknown>>): Readonly<Record<string, OptionValue>> {
  const options: Record<string, OptionValue> = { ...attack.defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(attack.defaults, name)) throw unknownOption(attack, name);
    options[name] = readValue(`${attack.name}.${name}`, value, attack.defaults[name]!);
  }
  const complaint = attack.check?.(options);
  if (complaint !== undefined) throw new UserError(`${attack.name}: ${complaint}`, describe(attack));
  return options;
}

function unknownOption(attack: Attack, name: string): UserError {
  const names = Object.keys(attack.defaults);
  return new UserError(
    `${attack.name} has no option "${name}"`,
    names.length === 0 ? `${attack.name} has no options` : suggestion(name, names),
  );
}

/** Numbers may be written as fractions; where the default is 'auto', 'auto' or a number is meant. */
function readValue(field: string, value: unknown, byDefault: OptionValue): OptionValue {
  if (value === 'auto' && byDefault === 'auto') return value;
  if (typeof byDefault === 'number' || byDefault === 'auto') return parseEps(value, field);
  if (typeof byDefault === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  if (typeof byDefault === 'boolean' && typeof value === 'boolean') return value;
  if (typeof byDefault === 'string' && typeof value === 'string') return value;
  throw new UserError(`${field} is ${JSON.stringify(value)}, but must be a ${typeof byDefault}`, `e.g. ${byDefault}`);
}

const describe = (attack: Attack): string =>
  Object.entries(attack.about)
    .map(([name, text]) => `${name}: ${text}`)
    .join('; ');
