/** @file HDF5 files by way of h5wasm, whose module is handed in. */
import { UserError } from '../../../../core/errors.ts';
import type { NirItem, NirTree } from './tree.ts';

/** What is needed of the npm package h5wasm. */
export interface Hdf5Module {
  readonly ready: Promise<{
    readonly FS: { writeFile(path: string, bytes: Uint8Array): void; unlink(path: string): void };
    activate_throwing_error_handler(): number;
  }>;
  readonly File: new (path: string, mode: 'r') => Hdf5Group & { close(): unknown };
}

interface Hdf5Group {
  keys(): string[];
  get(name: string): unknown;
}

interface Hdf5Dataset {
  readonly shape: readonly number[] | null;
  readonly value: unknown;
}

/** Values a file may hold: far more than a network of people needs, and no more than an array can. */
const mostValues = 2 ** 28;

let files = 0;

/** Everything in a file. Throws a UserError where it cannot be read. */
export async function readHdf5(module: Hdf5Module, bytes: Uint8Array, source: string): Promise<NirTree> {
  const { FS, activate_throwing_error_handler } = await module.ready;
  activate_throwing_error_handler();
  const path = `/provoke-${files++}.h5`;
  FS.writeFile(path, bytes);
  try {
    const file = new module.File(path, 'r');
    try {
      return treeOf(file, source, '');
    } finally {
      file.close();
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `${source} cannot be read as HDF5: ${firstLine(cause)}`,
      'the file is damaged, or is no .nir file: write it again with nir.write',
      { cause },
    );
  } finally {
    FS.unlink(path);
  }
}

/** The library reports its whole call stack; what went wrong is the first of it. */
const firstLine = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /\(\): ([^\n]+)/.exec(text)?.[1] ?? text.split('\n')[0]!;
};

function treeOf(group: Hdf5Group, source: string, where: string): NirTree {
  const tree = new Map<string, NirItem>();
  for (const name of group.keys()) {
    const item = group.get(name);
    const path = `${where}${name}`;
    if (isGroup(item)) tree.set(name, treeOf(item, source, `${path}/`));
    else tree.set(name, itemOf(item as Hdf5Dataset, source, path));
  }
  return tree;
}

const isGroup = (item: unknown): item is Hdf5Group => typeof (item as Partial<Hdf5Group> | null)?.keys === 'function';

function itemOf(item: Hdf5Dataset, source: string, path: string): NirItem {
  const shape = item.shape ?? [];
  if (shape.reduce((n, d) => n * d, 1) > mostValues)
    throw new UserError(`${source}: "${path}" is said to hold [${shape}] values`, 'the file is damaged');
  const { value } = item;
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((v): v is string => typeof v === 'string')) return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return { shape: [], values: Float64Array.of(Number(value)) };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return { shape: [...shape], values: Float64Array.from(value as unknown as ArrayLike<number | bigint>, Number) };
  throw new UserError(`${source}: "${path}" holds neither numbers nor text`, 'write the file again with nir.write');
}
