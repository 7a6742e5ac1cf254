/** @file Formats of event files by name: which one a file is, opened with all checks, and written. */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import { readAedatHeader, type Sensor } from './aedat-header.ts';
import { openAedat2, writeAedat2 } from './aedat2.ts';
import { openAedat3, writeAedat3 } from './aedat3.ts';
import { openAtis, writeAtis } from './atis.ts';
import { checked, collect, type EventReader } from './chunk.ts';
import type { Convention } from './convention.ts';
import { openCsvEvents, writeCsvEvents } from './csv-events.ts';
import { openNpzEvents, writeNpzEvents } from './npz-events.ts';
import type { EventStream } from './stream.ts';

export const eventFormats = {
  'aedat-2.0': { title: 'AEDAT 2.0 (jAER; CIFAR10-DVS)', ending: '.aedat' },
  'aedat-3.1': { title: 'AEDAT 3.1 (cAER; DVS128-Gesture)', ending: '.aedat' },
  atis: { title: 'ATIS (N-MNIST, N-Caltech101)', ending: '.bin' },
  npz: { title: 'NumPy archive with x, y, p, t', ending: '.npz' },
  csv: { title: 'text with the columns x, y, p, t', ending: '.csv' },
} as const;

export type EventFormatName = keyof typeof eventFormats;

export interface EventReadOptions {
  /** Meaning of address bits in .aedat and .bin files; default: jaer. */
  convention?: Convention;
  /** Size of the sensor, for files that do not say it (.csv, .npz) or are of another camera than usual. */
  sensor?: Sensor;
}

/** Whether the ending is one of an event file. */
export const isEventFile = (path: string): boolean => /\.(aedat|bin|npz|csv)$/i.test(path);

/**
 * Opens a recording by its ending, and .aedat files by their first line; `name` is what messages call it. Throws a UserError where it is no recording;
 * what is wrong inside turns up while the chunks are read.
 */
export async function openEvents(source: ByteSource, name: string, options: EventReadOptions = {}): Promise<EventReader> {
  if (source.size === 0) throw new UserError(`"${name}" is empty`, 'copy or download the file again');
  switch (/\.[^.]*$/.exec(name.toLowerCase())?.[0]) {
    case '.aedat': {
      const header = await readAedatHeader(source, name);
      return checked((header.version === '2.0' ? openAedat2 : openAedat3)(source, name, header, options), name);
    }
    case '.bin':
      return checked(openAtis(source, name, options), name);
    case '.npz':
      return checked(openNpzEvents(await source.read(0, source.size), name, options), name);
    case '.csv':
      return checked(await openCsvEvents(source, name, options), name);
    default:
      throw new UserError(
        `"${name}" does not end like an event file`,
        `the endings are ${[...new Set(Object.values(eventFormats).map((f) => f.ending))].join(', ')}`,
      );
  }
}

/** A whole recording. */
export const readEvents = async (source: ByteSource, name: string, options: EventReadOptions = {}): Promise<EventStream> =>
  collect(await openEvents(source, name, options));

export interface EventWriteOptions {
  /** aedat-2.0: whose meaning of the address bits is followed; default: jaer. */
  convention?: Convention;
  /** aedat-2.0: the form of addresses; default: dvs128. */
  address?: 'dvs128' | 'davis';
  /** aedat-2.0 and aedat-3.1: further lines of the header. */
  comments?: readonly string[];
}

/** A recording as a file. Throws a UserError where the format cannot hold it. Read again with the same convention it is the same recording. */
export function writeEvents(stream: EventStream, format: EventFormatName, options: EventWriteOptions = {}): Uint8Array {
  switch (format) {
    case 'aedat-2.0':
      return writeAedat2(stream, options);
    case 'aedat-3.1':
      return writeAedat3(stream, options);
    case 'atis':
      return writeAtis(stream);
    case 'npz':
      return writeNpzEvents(stream);
    case 'csv':
      return writeCsvEvents(stream);
  }
}
