/** @file NIR files from disk, by the npm package h5wasm where it is installed. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../core/errors.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import { type Hdf5Module, readHdf5 } from '../../kit/model/importers/nir/hdf5.ts';
import { importNir, type NirOptions } from '../../kit/model/importers/nir/import-nir.ts';
import { readUserFile } from './files.ts';
import { findPackage } from './packages.ts';

/** The version provoke was tested with. */
const h5wasm = { name: 'h5wasm', version: '0.10.3', brings: 'the reader of HDF5 files' } as const;

/** Converts the network of a NIR file. Throws a UserError with the line that installs h5wasm where it is missing. */
export async function readNir(path: string, options: NirOptions): Promise<Graph> {
  const bytes = await readUserFile(path, 'the NIR file');
  const { folder } = await findPackage(h5wasm);
  const module = await hdf5Module(folder);
  return importNir(await readHdf5(module, bytes, path), { ...options, source: path });
}

async function hdf5Module(folder: string): Promise<Hdf5Module> {
  try {
    return ((await import(pathToFileURL(join(folder, 'dist/esm/hdf5_hl.js')).href)) as { default: Hdf5Module }).default;
  } catch (cause) {
    throw new UserError(
      `the npm package in "${folder}" cannot be loaded: ${(cause as Error).message}`,
      `npm install --save-dev ${h5wasm.name}@${h5wasm.version}`,
      { cause },
    );
  }
}
