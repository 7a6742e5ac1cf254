/** @file Data formats by the name an experiment gives them. A new format is one file and one line here. */
import { cifar10 } from './cifar10.ts';
import { fer2013 } from './fer2013.ts';
import { imageFolder } from './image-folder.ts';
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

export interface FormatOptions {
  /** The split to keep, as the format names it. */
  readonly usage?: string;
}

export interface Format {
  readonly title: string;
  /** Whether the path names a folder or a file. */
  readonly needs: 'folder' | 'file';
  open(host: FormatHost, options: FormatOptions): Promise<DataSource>;
}

export const formats: Readonly<Record<string, Format>> = {
  'image-folder': {
    title: 'Images, a sub-folder per class or a table labels.csv (file,label)',
    needs: 'folder',
    open: ({ tree, decodeImage, name }) => imageFolder(tree(), { decodeImage, name }),
  },
  fer2013: {
    title: 'FER2013, a CSV of 48 x 48 grey faces (emotion,pixels,Usage)',
    needs: 'file',
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
    open: ({ tree, name }, { usage }) => cifar10(tree(), { name, ...(usage === undefined ? {} : { usage }) }),
  },
  sequences: {
    title: 'Labelled sequences, channels x steps: index.json and an .npz file per split (x, y, subject)',
    needs: 'folder',
    open: ({ tree, name }, { usage }) => sequences(tree(), { name, ...(usage === undefined ? {} : { usage }) }),
  },
};
