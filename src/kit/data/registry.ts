/** @file Data formats by the name an experiment gives them. A new format is one file and one line here. */
import { findNamed, UserError } from '../../core/errors.ts';
import { cifar10 } from './cifar10.ts';
import { cifar10Dvs } from './cifar10-dvs.ts';
import { dvsGesture } from './dvs-gesture.ts';
import { eventFolder } from './event-folder.ts';
import type { EventDataOptions } from './events/recordings.ts';
import { fer2013 } from './fer2013.ts';
import { imageFolder } from './image-folder.ts';
import { nMnist } from './n-mnist.ts';
import { sequences } from './sequences.ts';
import type { ByteSource, DataSource, DecodeImage, FileTree } from './source.ts';
import { noteEnding, readNote } from './synthetic-note.ts';

/** What the host opens for a format: it knows the path, the format does not. */
export interface FormatHost {
  /** The path as the user wrote it, for errors and reports. */
  readonly name: string;
  tree(): FileTree;
  bytes(): Promise<ByteSource>;
  readonly decodeImage: DecodeImage;
  /** The file beside the path whose name has this ending more; undefined where there is none. */
  beside?(ending: string): Promise<Uint8Array | undefined>;
}

/** What an experiment may say of data in files; a format takes some of it. */
export interface FormatOptions extends Omit<EventDataOptions, 'name' | 'sensor'> {
  readonly sensor?: readonly [width: number, height: number];
}

export type FormatOption = keyof FormatOptions;

export interface Format {
  readonly title: string;
  /** Whether the path names a folder or a file. */
  readonly needs: 'folder' | 'file';
  /** The options it knows. */
  readonly takes: readonly FormatOption[];
  open(host: FormatHost, options: FormatOptions): Promise<DataSource>;
}

/** Opens data in a format by its name. Throws a UserError that names an option the format does not know. */
export async function openFormat(name: string, host: FormatHost, options: FormatOptions = {}): Promise<DataSource> {
  const format = findNamed('data format', formats, name);
  const { takes } = format;
  const foreign = Object.keys(options).find((option) => !takes.includes(option as FormatOption));
  if (foreign !== undefined)
    throw new UserError(
      `the data format ${name} has no option "${foreign}"`,
      takes.length === 0 ? 'it takes none: leave it out' : `it takes: ${takes.join(', ')}`,
    );
  return format.open(host, options);
}

/** What all formats of event files take. */
const ofEvents = ['usage', 'frames', 'by', 'values', 'convention', 'downsample'] as const;

const eventOptions = ({ sensor, ...options }: FormatOptions, name: string): EventDataOptions => ({
  ...options,
  name,
  ...(sensor === undefined ? {} : { sensor: { width: sensor[0], height: sensor[1] } }),
});

export const formats: Readonly<Record<string, Format>> = {
  'image-folder': {
    title: 'Images, a sub-folder per class or a table labels.csv (file,label)',
    needs: 'folder',
    takes: [],
    open: ({ tree, decodeImage, name }) => imageFolder(tree(), { decodeImage, name }),
  },
  fer2013: {
    title: 'FER2013, a CSV of 48 x 48 grey faces (emotion,pixels,Usage)',
    needs: 'file',
    takes: ['usage'],
    async open({ bytes, name, beside }, { usage }) {
      const note = await beside?.(noteEnding);
      return fer2013(await bytes(), {
        name,
        ...(usage === undefined ? {} : { usage }),
        ...(note === undefined ? {} : { note: readNote(note, `"${name}${noteEnding}"`) }),
      });
    },
  },
  cifar10: {
    title: 'CIFAR-10, binary version: data_batch_*.bin and test_batch.bin of 32 x 32 colour pictures',
    needs: 'folder',
    takes: ['usage'],
    open: ({ tree, name }, { usage }) => cifar10(tree(), { name, ...(usage === undefined ? {} : { usage }) }),
  },
  sequences: {
    title: 'Labelled sequences, channels x steps: index.json and an .npz file per split (x, y, subject)',
    needs: 'folder',
    takes: ['usage'],
    open: ({ tree, name }, { usage }) => sequences(tree(), { name, ...(usage === undefined ? {} : { usage }) }),
  },
  'cifar10-dvs': {
    title: 'CIFAR10-DVS, a folder per class of cifar10_CLASS_NUMBER.aedat (AEDAT 2.0)',
    needs: 'folder',
    takes: ofEvents,
    open: ({ tree, name }, options) => cifar10Dvs(tree(), eventOptions(options, name)),
  },
  'dvs-gesture': {
    title: 'DVS128-Gesture, userNN_LIGHT.aedat (AEDAT 3.1) with userNN_LIGHT_labels.csv',
    needs: 'folder',
    takes: [...ofEvents, 'sensor'],
    open: ({ tree, name }, options) => dvsGesture(tree(), eventOptions(options, name)),
  },
  'n-mnist': {
    title: 'N-MNIST, Train and Test with a folder per digit of .bin files (ATIS)',
    needs: 'folder',
    takes: [...ofEvents, 'sensor'],
    open: ({ tree, name }, options) => nMnist(tree(), eventOptions(options, name)),
  },
  events: {
    title: 'Recordings of event cameras (.aedat, .bin, .npz, .csv), a folder per class; index.json for splits',
    needs: 'folder',
    takes: [...ofEvents, 'sensor'],
    open: ({ tree, name }, options) => eventFolder(tree(), eventOptions(options, name)),
  },
};
