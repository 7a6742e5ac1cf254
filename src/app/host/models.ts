/** @file A model reference of an experiment or of the command line, opened: a built-in name, an ONNX file, or a user's own module. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Surrogate, straightThrough } from '../../core/autodiff/substitutes.ts';
import { suggestion, UserError } from '../../core/errors.ts';
import { externalFiles } from '../../core/onnx/external.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import { readModel } from '../../core/onnx/reader.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { BuiltinModel } from '../../kit/model/builtin/builtin.ts';
import { builtinModels } from '../../kit/model/builtin/index.ts';
import { type Manifest, readManifest } from '../../kit/model/manifest.ts';
import type { Model } from '../../kit/model/model.ts';
import { openModel } from '../../kit/model/open.ts';
import type { SessionOptions } from '../../kit/model/sessions.ts';
import { type ChosenSpikes, chooseSpikes, substitutesFor } from '../../kit/spiking/choose.ts';
import type { ReferenceStatistics } from '../../kit/spiking/spike-gradient.ts';
import type { ModelReference, SubstituteReference } from '../experiment/schema.ts';
import { readDataFile, readUserFile, sha256 } from './files.ts';
import { findPackage, readPackageFiles } from './packages.ts';

export interface LoadContext {
  /** Folder that relative paths start from. */
  readonly base: string;
  readonly runtime: Runtime;
}

export interface LoadedModel {
  readonly model: Model;
  /** The same before anything was chosen for its spikes. */
  readonly opened: Model;
  /** Those declared for single nodes. */
  readonly surrogates: readonly Surrogate[];
  /** What was chosen, or is taken by default, for the model's spikes. */
  readonly spikes?: ChosenSpikes;
}

/** Opens the model of an experiment. */
export async function loadModel(reference: ModelReference, context: LoadContext): Promise<LoadedModel> {
  const surrogates = (reference.surrogates ?? []).map(surrogateOf);
  const opened = await openReferred(reference, context);
  return { ...chooseSpikes(opened, reference.spikes), opened, surrogates };
}

/** What stands in for derivatives: the surrogates declared, and what was chosen for spikes, given what is known of clean samples. */
export function standIns(
  { surrogates, spikes }: Pick<LoadedModel, 'surrogates' | 'spikes'>,
  reference?: ReferenceStatistics,
): Required<Pick<SessionOptions, 'surrogates' | 'twins'>> {
  const chosen = spikes === undefined ? undefined : substitutesFor(spikes, reference);
  return { surrogates: [...surrogates, ...(chosen?.surrogates ?? [])], twins: chosen?.twins ?? [] };
}

async function openReferred(reference: ModelReference, context: LoadContext): Promise<Model> {
  if ('path' in reference) {
    const { path, manifest, outputName, inputShapes } = reference;
    return fileModel(resolve(context.base, path), context, {
      ...(manifest === undefined ? {} : { manifest: resolve(context.base, manifest) }),
      ...(outputName === undefined ? {} : { outputName }),
      ...(inputShapes === undefined ? {} : { inputShapes }),
    });
  }
  if (/\.m?js$/.test(reference.use)) return ownModel(resolve(context.base, reference.use), context);
  return builtinModel(reference.use, context);
}

/** Whether a model comes with provoke or a package it knows: its graph is built by provoke itself. All others run in a process of their own. */
export const isBuiltin = (reference: ModelReference): boolean =>
  'use' in reference && Object.hasOwn(builtinModels, reference.use);

/** What the command line calls MODEL: a built-in name, or the path of an ONNX file. */
export function modelReference(
  name: string,
  options: { output?: string; manifest?: string } = {},
  spikes: Pick<ModelReference, 'spikes'> = {},
): ModelReference {
  if (Object.hasOwn(builtinModels, name)) return { use: name, ...spikes };
  if (/\.m?js$/.test(name)) return { use: name, ...spikes };
  if (existsSync(name) || /[./\\]onnx$|\.(onnx|pb|ort|json)$/.test(name)) {
    return {
      path: name,
      ...spikes,
      ...(options.manifest === undefined ? {} : { manifest: options.manifest }),
      ...(options.output === undefined ? {} : { outputName: options.output }),
    };
  }
  throw unknownModel(name);
}

const unknownModel = (name: string): UserError =>
  new UserError(`there is no built-in model "${name}", and no file of that name`, suggestion(name, Object.keys(builtinModels)));

/** The graph of a built-in model, from the weights of the installed package. */
export async function builtinGraph(name: string): Promise<{ builtin: BuiltinModel; graph: Graph; sha256: string }> {
  const builtin = Object.hasOwn(builtinModels, name) ? builtinModels[name] : undefined;
  if (builtin === undefined) throw unknownModel(name);
  const files = await readPackageFiles(await findPackage(builtin.package), builtin.files);
  return { builtin, graph: builtin.build(files), sha256: sha256(...builtin.files.map((f) => files[f]!)) };
}

async function builtinModel(name: string, { runtime }: LoadContext): Promise<Model> {
  const { builtin, graph, sha256: hash } = await builtinGraph(name);
  if (builtin.task !== 'classifier') {
    const classifiers = Object.values(builtinModels).filter((m) => m.task === 'classifier');
    throw new UserError(
      `${name} is a ${builtin.task} network, not a classifier: it has no classes to attack`,
      `one of: ${classifiers.map((m) => m.name).join(', ')}`,
    );
  }
  const { inputs, classes, output, note } = builtin;
  const manifest = readManifest({ inputs: statedInputs(inputs), classes, output, note }, name);
  return openModel(graph, { name, sha256: hash, manifest, execute: runtime.execute });
}

/** A built-in model's inputs as a manifest states them. */
const statedInputs = (inputs: BuiltinModel['inputs']): Record<string, unknown> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { dtype: _, ...stated }]) => [name, stated]));

export interface FileOptions {
  readonly manifest?: string;
  readonly outputName?: string;
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
}

/** Reads an ONNX file with the data files it refers to. */
export async function readOnnxFile(path: string): Promise<{ graph: Graph; sha256: string }> {
  const bytes = await readUserFile(path, 'the model');
  if (path.endsWith('.json'))
    throw new UserError(`"${path}" is not an ONNX file`, `convert it first: provoke convert ${path} -o model.onnx`);
  const external = new Map<string, Uint8Array>();
  for (const location of externalFiles(bytes, path)) external.set(location, await readDataFile(path, location));
  return { graph: readModel(bytes, { source: path, external }), sha256: sha256(bytes, ...external.values()) };
}

async function fileModel(path: string, { runtime }: LoadContext, options: FileOptions): Promise<Model> {
  const { graph, sha256: hash } = await readOnnxFile(path);
  const manifest = await manifestFor(path, options.manifest);
  return openModel(graph, {
    name: basename(path).replace(/\.onnx$/, ''),
    sha256: hash,
    execute: runtime.execute,
    ...(manifest === undefined ? {} : { manifest }),
    ...(options.outputName === undefined ? {} : { outputName: options.outputName }),
    ...(options.inputShapes === undefined ? {} : { inputShapes: options.inputShapes }),
  });
}

/** The manifest named, or the one lying beside the model: MODEL.yaml or MODEL.json. */
async function manifestFor(path: string, named: string | undefined): Promise<Manifest | undefined> {
  const beside = ['.yaml', '.yml', '.json'].map((end) => path.replace(/\.onnx$/, '') + end).find(existsSync);
  const file = named ?? beside;
  return file === undefined ? undefined : readManifest(new TextDecoder().decode(await readUserFile(file, 'the manifest')), file);
}

async function ownModel(path: string, context: LoadContext): Promise<Model> {
  let loaded: { default?: (context: LoadContext) => Promise<{ onnx?: unknown; manifest?: unknown }> };
  try {
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw new UserError(`the model file "${path}" cannot be loaded: ${(cause as Error).message}`, 'it must be an ES module', {
      cause,
    });
  }
  if (typeof loaded.default !== 'function')
    throw new UserError(
      `the model file "${path}" has no default export that is a function`,
      'export default async () => ({ onnx: bytes, manifest })',
    );
  const { onnx, manifest } = await loaded.default(context);
  if (!(onnx instanceof Uint8Array))
    throw new UserError(
      `the model file "${path}" gives no ONNX bytes`,
      'export default async () => ({ onnx: bytes, manifest }): docs/own-code.md has the contract and an example',
    );
  const graph = readModel(onnx, { source: path });
  return openModel(graph, {
    name: basename(path).replace(/\.m?js$/, ''),
    sha256: sha256(onnx),
    execute: context.runtime.execute,
    ...(manifest === undefined ? {} : { manifest: readManifest(manifest, `${path}, manifest`) }),
  });
}

const surrogateOf = ({ match }: SubstituteReference): Surrogate =>
  straightThrough({
    ...(match.op === undefined ? {} : { op: match.op }),
    ...(match.name === undefined ? {} : { name: match.name }),
    ...(match.pattern === undefined ? {} : { pattern: patternOf(match.pattern) }),
  });

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new UserError(
      `surrogates: "${text}" is not a regular expression: ${(cause as Error).message}`,
      'escape special characters with a backslash',
      { cause },
    );
  }
}
