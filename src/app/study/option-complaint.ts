/** @file What is said of an option of a part that cannot be used: the part, the option, what was written, and what may be. */
import type { z } from 'zod';
import { suggestion } from '../../core/errors.ts';
import { optionsOf } from '../../judgement/systems/spiking/options.ts';
import type { Part } from '../../judgement/systems/spiking/study.ts';

export interface OptionComplaint {
  /** Within the part. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}

const where = 'docs/spiking.md has the options of each part';

/** The complaint about options of a part that its schema refused for these reasons, at least one. */
export function optionComplaint(
  part: Part<unknown>,
  stated: Readonly<Record<string, unknown>>,
  issues: readonly z.core.$ZodIssue[],
): OptionComplaint {
  const options = optionsOf(part);
  // a misspelt option is behind the complaint that another is missing
  const unknown = Object.keys(stated).find((key) => !options.some(({ name }) => name === key));
  if (unknown !== undefined)
    return {
      path: [unknown],
      message: `part ${part.name} has no option "${unknown}"`,
      remedy: suggestion(
        unknown,
        options.map(({ name }) => name),
      ),
    };
  const { path, message } = issues[0]!;
  const option = options.find(({ name }) => name === path[0]);
  if (option === undefined) return { path, message: `part ${part.name}: ${message}`, remedy: where };
  const value = path.reduce<unknown>((at, step) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step], stated);
  return {
    path,
    message: `part ${part.name}: ${option.name} must be ${option.type}, but ${path.map(String).join('.')} ${given(value)}`,
    remedy: `e.g. ${option.name}: ${option.example}; ${where}`,
  };
}

/** The most that is repeated of a long value. */
const most = 60;

function given(value: unknown): string {
  if (value === undefined) return 'is missing';
  // infinities and NaN have no JSON
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return `is ${text.length > most ? `${text.slice(0, most)}…` : text}`;
}
