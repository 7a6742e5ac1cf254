/** @file Options of whatever a file names by `use:` (attacks, architectures, optimisers, augmentations, defences): defaults overlaid with what was written. */
import { suggestion, UserError } from '../core/errors.ts';
import { parseEps } from './threat/parse-eps.ts';

/** Values an option may take on the command line and in a file. */
export type OptionValue = number | boolean | string;
export type Options = Readonly<Record<string, OptionValue>>;

/** Something with options. Its defaults are the only place a default is written, and say of which type an option is. */
export interface Configurable<O extends Options = Options> {
  readonly name: string;
  readonly defaults: O;
  readonly about: Readonly<Record<string, string>>;
  /** Of an option that is a word: the words it may be. */
  readonly choices?: Readonly<Partial<Record<keyof O & string, readonly string[]>>>;
  /** Why an option's value cannot be used, or undefined. */
  check?(options: O): string | undefined;
}

/**
 * The defaults overlaid with what was given in a file or on the command line, where everything is text.
 * Throws a UserError naming owner and option for an unknown option, a wrong type or a value the owner refuses.
 */
export function readOptions<O extends Options>(of: Configurable<O>, given: Readonly<Record<string, unknown>>): O {
  const options: Record<string, OptionValue> = { ...of.defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(of.defaults, name)) throw unknownOption(of, name);
    const choices = (of.choices as Configurable['choices'])?.[name];
    options[name] =
      choices === undefined
        ? readValue(`${of.name}.${name}`, value, of.defaults[name]!)
        : readChoice(`${of.name}.${name}`, value, choices);
  }
  const complaint = of.check?.(options as O);
  if (complaint !== undefined) throw new UserError(`${of.name}: ${complaint}`, describe(of, complaint));
  return options as O;
}

function unknownOption(of: Pick<Configurable, 'name' | 'defaults'>, name: string): UserError {
  const names = Object.keys(of.defaults);
  return new UserError(
    `${of.name} has no option "${name}"`,
    names.length === 0 ? `${of.name} has no options` : suggestion(name, names),
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

function readChoice(field: string, value: unknown, choices: readonly string[]): string {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new UserError(`${field} is ${JSON.stringify(value)}`, suggestion(String(value), choices));
  return found;
}

/** What the options mean that a complaint begins with; all, where it names none. */
function describe({ about }: Pick<Configurable, 'about'>, complaint: string): string {
  const all = Object.entries(about);
  const named = all.filter(([name]) => complaint.startsWith(`${name} `));
  return (named.length === 0 ? all : named).map(([name, text]) => `${name}: ${text}`).join('; ');
}
