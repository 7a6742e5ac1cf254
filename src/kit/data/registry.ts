/** @file Data formats by the name an experiment gives them. A new format is one file and one line here. */
import { fer2013 } from './fer2013.ts';
import { imageFolder } from './image-folder.ts';
import type { ByteSource, DataSource, DecodeImage, FileTree } from './source.ts';

/** What the host opens for a format: it knows the path, the format does not. */
export interface FormatHost {
  /** The path as the user wrote it, for errors and reports. */
  readonly name: string;
  tree(): FileTree;
  bytes(): Promise<ByteSource>;
  readonly decodeImage: DecodeImage;
}

export interface FormatOptions {
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
    open: async ({ bytes, name }, { usage }) => fer2013(await bytes(), { name, ...(usage === undefined ? {} : { usage }) }),
  },
};
