/** @file A data reference of an experiment, opened: a built-in set, a format over a path, or a user's own module. */
import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suggestion, UserError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import { faceSamples, faceSamplesFiles } from '../../kit/data/face-samples.ts';
import { type FormatOptions, formats, openFormat } from '../../kit/data/registry.ts';
import type { ByteSource, DataSource } from '../../kit/data/source.ts';
import { faceApiTinyFaceDetector } from '../../kit/model/builtin/face-api.ts';
import type { DataReference } from '../experiment/schema.ts';
import { fileTree, readUserFile } from './files.ts';
import { decodeImage } from './images.ts';
import { findPackage, readPackageFiles } from './packages.ts';

export interface LoadContext {
  /** Folder that relative paths start from. */
  readonly base: string;
  readonly runtime: Runtime;
}

interface BuiltinData {
  readonly title: string;
  open(context: LoadContext): Promise<DataSource>;
}

const builtinData: Readonly<Record<string, BuiltinData>> = {
  'face-api/samples': {
    title: 'faces the detector finds in the six photos of the npm package @vladmandic/face-api; no labels',
    async open({ runtime }) {
      const files = await readPackageFiles(await findPackage(faceApiTinyFaceDetector.package), faceSamplesFiles);
      return faceSamples({ runtime, decodeImage, files });
    },
  },
};

/** What `provoke list data` prints. */
export const dataSets: readonly { name: string; kind: 'built-in' | 'format'; title: string }[] = [
  ...Object.entries(builtinData).map(([name, { title }]) => ({ name, kind: 'built-in' as const, title })),
  ...Object.entries(formats).map(([name, { title }]) => ({ name, kind: 'format' as const, title })),
];

/** Opens the data of an experiment. */
export async function loadData(reference: DataReference, context: LoadContext): Promise<DataSource> {
  if ('format' in reference) return formatData(reference, context.base);
  if (/\.m?js$/.test(reference.use)) return ownData(resolve(context.base, reference.use), context);
  const builtin = Object.hasOwn(builtinData, reference.use) ? builtinData[reference.use] : undefined;
  if (builtin === undefined) {
    throw new UserError(`there is no built-in data set "${reference.use}"`, suggestion(reference.use, Object.keys(builtinData)));
  }
  return builtin.open(context);
}

async function formatData(reference: Extract<DataReference, { format: string }>, base: string): Promise<DataSource> {
  const { format: name, path, limit: _limit, labels: _labels, resize: _resize, ...options } = reference;
  const place = resolve(base, path);
  return openFormat(
    name,
    {
      name: path,
      tree: () => ({ ...fileTree(place), bytes: (file) => fileBytes(join(place, file)) }),
      bytes: () => fileBytes(place),
      beside: async (ending) => (existsSync(place + ending) ? readUserFile(place + ending, 'the note') : undefined),
      decodeImage,
    },
    options as FormatOptions,
  );
}

/** Random access to a file, a part at a time: a corpus may be larger than memory. */
async function fileBytes(path: string): Promise<ByteSource> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.isDirectory()) await readUserFile(path, 'the data file');
  return {
    size: info?.size ?? 0,
    async read(offset, length, into) {
      const file = await open(path);
      try {
        const bytes = into ?? new Uint8Array(length);
        const { bytesRead } = await file.read(bytes, 0, length, offset);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

async function ownData(path: string, context: LoadContext): Promise<DataSource> {
  let loaded: { default?: (context: LoadContext) => Promise<DataSource> };
  try {
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw new UserError(`the data file "${path}" cannot be loaded: ${(cause as Error).message}`, 'it must be an ES module', {
      cause,
    });
  }
  if (typeof loaded.default !== 'function') {
    throw new UserError(
      `the data file "${path}" has no default export that is a function`,
      'export default async (context) => dataSource',
    );
  }
  const source = await loaded.default(context);
  const missing = required.filter((key) => source?.[key] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      `the data file "${path}" gives no data source: ${missing.join(', ')} missing`,
      'return { name, labels, labelsAre, count, item, sha256 }: docs/own-code.md has the contract and an example',
    );
  }
  return source;
}

/** What a user's own data source has to state. */
const required = ['name', 'labels', 'labelsAre', 'count', 'item', 'sha256'] as const;
