/** @file The note that lies beside generated data in a format that has no room for it: that the data are synthetic, how they were made, and what belongs together. */
import { UserError } from '../../core/errors.ts';

export interface SyntheticNote {
  /** How the data were made, in a sentence. */
  readonly synthetic: string;
  /** Group of every sample, in the order of the data. */
  readonly groups?: readonly string[];
  /** What makes the data again. */
  readonly made?: Readonly<Record<string, unknown>>;
}

/** Ending of the note's name beside a file of data: faces.csv, faces.csv.synthetic.json. */
export const noteEnding = '.synthetic.json';

/** Name of the note in a folder of data. */
export const noteInFolder = 'synthetic.json';

/** A note as it is written. */
export const noteText = (note: SyntheticNote): string => `${JSON.stringify(note, null, 1)}\n`;

/** Reads a note. Throws a UserError naming `source` where it is not one. */
export function readNote(bytes: Uint8Array, source: string): SyntheticNote {
  const refuse = (why: string, cause?: unknown): never => {
    throw new UserError(
      `${source} is not a note on synthetic data: ${why}`,
      'make the data again, or remove the note if it does not belong to them',
      { cause },
    );
  };
  let value: Partial<Record<keyof SyntheticNote, unknown>> | null;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes)) as typeof value;
  } catch (cause) {
    return refuse((cause as Error).message, cause);
  }
  const { synthetic, groups, made } = value ?? {};
  if (typeof synthetic !== 'string' || synthetic === '') return refuse('it has no text "synthetic"');
  if (groups !== undefined && !(Array.isArray(groups) && groups.every((g) => typeof g === 'string' && g !== '')))
    return refuse('its "groups" are not a list of names');
  return {
    synthetic,
    ...(groups === undefined ? {} : { groups: groups as string[] }),
    ...(typeof made === 'object' && made !== null ? { made: made as Record<string, unknown> } : {}),
  };
}
