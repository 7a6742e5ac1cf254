/** @file index.json of the data format `events`: what a folder of recordings cannot say of itself. */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';

export const eventIndexName = 'index.json';

const indexSchema = z.strictObject({
  format: z.literal('events').optional(),
  version: z.literal(1).optional(),
  /** Names of the classes: folders that hold recordings. Default: those there are. */
  classes: z.array(z.string().min(1)).min(1).optional(),
  /** Width and height of the sensor, for files that do not say it. */
  sensor: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional(),
  /** A folder of each split, or its files. */
  splits: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).optional(),
  /** Where the labels come from, for reports. */
  labelsAre: z.string().optional(),
  /** How the data were made, where they were generated. */
  synthetic: z.string().optional(),
  /** What makes them again. */
  made: z.record(z.string(), z.unknown()).optional(),
});

export type EventIndex = z.infer<typeof indexSchema>;

/** Reads an index. Throws a UserError that names the field. */
export function readEventIndex(bytes: Uint8Array, source: string): EventIndex {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new UserError(`${source} is not JSON: ${(cause as Error).message}`, 'mend it: docs/data-formats.md has an example', {
      cause,
    });
  }
  const parsed = indexSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(
    `${source}:${path.length === 0 ? '' : ` ${path.join('.')}:`} ${message.toLowerCase()}`,
    'see docs/data-formats.md for an example',
  );
}
