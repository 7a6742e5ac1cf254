/** @file Data format `image-folder`: a sub-folder per class, or a file labels.csv with the columns file, label and optionally group. */
import { suggestion, UserError } from '../../core/errors.ts';
import { csvFields } from './csv.ts';
import { digest } from './digest.ts';
import type { DataSource, DecodeImage, FileTree, Problem, RawItem } from './source.ts';
import { noteInFolder, readNote } from './synthetic-note.ts';

export interface ImageFolderOptions {
  readonly decodeImage: DecodeImage;
  /** Name of the table below the root; default: labels.csv where there is one. */
  readonly csv?: string;
  /** How reports name the data; default: the tree's root. */
  readonly name?: string;
}

const pictures = /\.(png|jpe?g|webp|tiff?|gif|avif)$/i;

interface Entry {
  readonly path: string;
  readonly label?: string;
  readonly group: string;
  /** Set where the entry cannot be used whatever the file holds. */
  readonly reason?: string;
}

/**
 * Images below a folder. The group is the table's third column, or the folder inside the class folder, or the image itself. A note
 * synthetic.json says that the pictures were generated.
 * Throws a UserError where there is no image at all or the table is not one; images that cannot be decoded are Problems.
 */
export async function imageFolder(tree: FileTree, { decodeImage, csv, name }: ImageFolderOptions): Promise<DataSource> {
  const files = await tree.list();
  const table = csv ?? (files.includes('labels.csv') ? 'labels.csv' : undefined);
  const entries = table === undefined ? byFolder(files) : await byTable(tree, files, table);
  if (entries.length === 0) {
    throw new UserError(
      `"${tree.root}" holds no images`,
      'put PNG, JPEG, WebP, TIFF, GIF or AVIF files into a sub-folder per class, or list them in labels.csv (file,label)',
    );
  }
  const note = files.includes(noteInFolder)
    ? readNote(await tree.read(noteInFolder), `"${tree.root}/${noteInFolder}"`)
    : undefined;
  const labels = [...new Set(entries.flatMap((e) => (e.label === undefined ? [] : [e.label])))].sort();
  return {
    name: name ?? tree.root,
    labels,
    labelsAre:
      labels.length === 0
        ? "the model's own clean prediction (agreement, not accuracy)"
        : table === undefined
          ? 'the names of the folders'
          : `the column "label" of ${table}`,
    ...(note === undefined ? {} : { synthetic: note.synthetic }),
    count: entries.length,
    item: (index) => read(tree, entries[index]!, decodeImage),
    sha256: await hashOf(tree, entries),
  };
}

async function read(tree: FileTree, { path, label, group, reason }: Entry, decodeImage: DecodeImage): Promise<RawItem | Problem> {
  if (reason !== undefined) return { item: path, reason };
  const bytes = await tree.read(path);
  try {
    return { id: path, group, ...(label === undefined ? {} : { label }), inputs: { '': await decodeImage(bytes) } };
  } catch (cause) {
    return { item: path, reason: (cause as Error).message };
  }
}

/** Classes are the folders below the root; without any, the images are unlabelled. */
function byFolder(files: readonly string[]): Entry[] {
  const images = files.filter((path) => pictures.test(path));
  const unlabelled = images.every((path) => !path.includes('/'));
  return images.map((path) => {
    const parts = path.split('/');
    if (unlabelled) return { path, group: path };
    if (parts.length === 1) return { path, group: path, reason: 'it lies beside the class folders, so it has no label' };
    return { path, label: parts[0]!, group: parts.length > 2 ? parts.slice(1, -1).join('/') : path };
  });
}

async function byTable(tree: FileTree, files: readonly string[], table: string): Promise<Entry[]> {
  if (!files.includes(table)) {
    throw new UserError(
      `"${tree.root}" holds no "${table}"`,
      suggestion(
        table,
        files.filter((f) => f.endsWith('.csv')),
      ),
    );
  }
  const lines = new TextDecoder()
    .decode(await tree.read(table))
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const columns = csvFields(lines[0]!).map((c) => c.toLowerCase());
  const [file, label, group] = ['file', 'label', 'group'].map((c) => columns.indexOf(c));
  if (file! < 0 || label! < 0) {
    throw new UserError(
      `the first line of "${tree.root}/${table}" is "${lines[0]!.slice(0, 80)}"`,
      'it has to name the columns: file,label (and, if you like, group)',
    );
  }
  const known = new Set(files);
  const named = new Map<string, string>();
  return lines.flatMap((line, i): Entry[] => {
    if (i === 0 || line.trim() === '') return [];
    const fields = csvFields(line);
    const [path, name] = [fields[file!], fields[label!]];
    const where = `${table} line ${i + 1}`;
    if (fields.length !== columns.length || !path || !name) {
      return [
        {
          path: where,
          group: where,
          reason: `it has ${fields.length} fields, ${columns.length} are needed, none of file and label empty`,
        },
      ];
    }
    const before = named.get(path);
    if (before !== undefined) return [{ path: where, group: where, reason: `it names "${path}" again, as ${before} does` }];
    named.set(path, where);
    const entry = { path, label: name, group: (group! >= 0 ? fields[group!] : undefined) || path };
    return [known.has(path) ? entry : { ...entry, reason: `${where} names it, but the file is not there` }];
  });
}

async function hashOf(tree: FileTree, entries: readonly Entry[]): Promise<string> {
  const hash = digest();
  for (const { path, label, reason } of entries) {
    await hash.add(`${path}\n${label ?? ''}`);
    if (reason === undefined) await hash.add(await tree.read(path));
  }
  return hash.finish();
}
