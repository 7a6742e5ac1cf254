/** @file index.json of the data format `sequences`: what the arrays cannot say of themselves. */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';

export const sequenceIndexName = 'index.json';

const indexSchema = z.strictObject({
  format: z.literal('sequences').optional(),
  version: z.literal(1).optional(),
  /** Names of the classes, in the order of their codes in y. */
  classes: z.array(z.string().min(1)).min(1),
  /** Names of the channels. */
  channels: z.array(z.string()).min(1).optional(),
  /** Steps per second. */
  rate: z.number().positive().optional(),
  unit: z.string().optional(),
  /** Archive of each split; default: every .npz file beside the index, called by its name. */
  splits: z.record(z.string(), z.string()).optional(),
  /** Where the labels come from, for reports. */
  labelsAre: z.string().optional(),
  /** How the data were made, where they were generated. */
  synthetic: z.string().optional(),
  /** What makes them again. */
  made: z.record(z.string(), z.unknown()).optional(),
});

export type SequenceIndexFile = z.infer<typeof indexSchema>;

export interface SequenceIndex extends SequenceIndexFile {
  readonly splits: Record<string, string>;
}

/** Reads an index; `files` lie beside it. Throws a UserError that names the field. */
export function readSequenceIndex(bytes: Uint8Array, source: string, files: readonly string[]): SequenceIndex {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new UserError(`${source} is not JSON: ${(cause as Error).message}`, 'mend it: docs/data-formats.md has an example', {
      cause,
    });
  }
  const parsed = indexSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    const field = path.length === 0 ? '' : ` ${path.join('.')}:`;
    throw new UserError(`${source}:${field} ${message.toLowerCase()}`, 'see docs/data-formats.md for an example');
  }
  const { classes } = parsed.data;
  const twice = classes.find((name, i) => classes.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${source}: classes names "${twice}" twice`, 'give every class a name of its own');
  const archives = files.filter((file) => /^[^/]+\.npz$/.test(file));
  const splits = parsed.data.splits ?? Object.fromEntries(archives.map((file) => [file.replace(/\.npz$/, ''), file]));
  if (Object.keys(splits).length === 0)
    throw new UserError(`${source}: there is no split`, 'put an archive (.npz) beside it, or name them under splits');
  return { ...parsed.data, splits };
}
