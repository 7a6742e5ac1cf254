/** @file npm packages that bring weights or pictures: found where the user works, or beside provoke itself. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { PackageFiles, WeightsPackage } from '../../kit/model/builtin/builtin.ts';
import { readUserFile } from './files.ts';

export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

export interface WantedPackage extends Pick<WeightsPackage, 'name' | 'version'> {
  /** What it is needed for, as messages say; the weights, by default. */
  readonly brings?: string;
}

export interface FindOptions {
  /** Folder whose node_modules are searched first (and those above it); default: the working directory. */
  from?: string;
}

/**
 * Finds an installed npm package: from the working directory upwards, then from provoke's own place.
 * Throws a UserError with the line that installs it.
 */
export async function findPackage(
  { name, version, brings = 'the weights' }: WantedPackage,
  options: FindOptions = {},
): Promise<InstalledPackage> {
  const from = options.from ?? process.cwd();
  const roots = [createRequire(join(from, 'index.js')), createRequire(import.meta.url)];
  for (const folder of roots.flatMap((require) => require.resolve.paths(name) ?? [])) {
    const found = await versionIn(join(folder, name));
    if (found !== undefined) return { folder: join(folder, name), version: found };
  }
  throw new UserError(
    `the npm package ${name}, which brings ${brings}, is not installed`,
    `npm install --save-dev ${name}@${version}`,
  );
}

async function versionIn(folder: string): Promise<string | undefined> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    return (manifest as { version?: string }).version ?? 'unknown';
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new UserError(`"${folder}" holds a damaged package.json`, 'install the package again', { cause });
  }
}

/** Reads files of an installed package, by their path relative to its folder. */
export async function readPackageFiles(installed: InstalledPackage, files: readonly string[]): Promise<PackageFiles> {
  const read = async (path: string) => [path, await readUserFile(join(installed.folder, path), 'the package file')] as const;
  return Object.fromEntries(await Promise.all(files.map(read)));
}
