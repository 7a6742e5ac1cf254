/** @file What options of parts are made of: what checks them, and beside it the words in which complaints and docs/spiking.md say what may be written. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { parseEps } from '../../../kit/threat/parse-eps.ts';

export interface OptionWords {
  /** What may be written, as it stands after "must be". */
  readonly type: string;
  readonly about: string;
  /** A value as it may stand in a study file. */
  readonly example: string;
}

const said = z.registry<OptionWords>();

/** An option of a part, and what is to be said of it. */
export function option<S extends z.ZodType>(schema: S, words: OptionWords): S {
  said.add(schema, words);
  return schema;
}

export interface PartOption extends OptionWords {
  readonly name: string;
  /** Whether it must be stated. */
  readonly needed: boolean;
  /** What holds where nothing is stated; undefined where that is nothing. */
  readonly byDefault: unknown;
}

/** The options of a part in the order they are declared. Throws where one has no words. */
export const optionsOf = ({ options }: { readonly options: OptionSchema<unknown> }): PartOption[] =>
  Object.entries(options.shape).map(([name, schema]) => {
    const words = said.get(schema);
    if (words === undefined) throw new Error(`nothing is said of the option ${name}`);
    const absent = schema.safeParse(undefined);
    return { name, ...words, needed: !absent.success, byDefault: absent.data };
  });

/** What checks the options of a part, and knows them by name. */
export type OptionSchema<Options> = z.ZodType<Options> & { readonly shape: Readonly<Record<string, z.ZodType>> };

function isBudget(value: unknown): boolean {
  try {
    return parseEps(value) >= 0;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Numbers or fractions, at least one. */
export const budgetList = z.array(z.union([z.number(), z.string()]).refine(isBudget)).min(1);
export const budgetListType = 'a list of numbers or fractions such as 8/255';

export const wholeNumberType = 'a whole number from 1';

/** What stands in for the derivative of spikes. */
export const surrogate = z.union([z.string(), z.looseObject({ use: z.string() })]);
export const surrogateType = 'a surrogate: its name, or { use: NAME } with options of it';

/** At least one entry. */
export const named = <S extends z.ZodType>(entry: S) =>
  z.record(z.string(), entry).refine((entries) => Object.keys(entries).length > 0);

/** An attack with options of it. */
export const attackMap = z.looseObject({ use: z.string(), as: z.string().exactOptional(), spikes: surrogate.exactOptional() });
export const attack = z.union([z.string(), attackMap]);
