/** @file A trained network, handed out: a plain inference ONNX with its manifest, the raw weights, and the card that says where they come from. */
import type { Graph } from '../../../core/onnx/graph.ts';
import { readModel } from '../../../core/onnx/reader.ts';
import { writeModel } from '../../../core/onnx/writer.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import { sha256Hex } from '../../data/digest.ts';
import { findCoupling } from '../../model/find-coupling.ts';
import type { Inputs } from '../../model/model.ts';
import { type Architecture, logitsOutput } from '../architecture.ts';
import { drawing, randomsOf } from '../draws.ts';
import { writeCard } from './card.ts';
import { defenceLine, syntheticSets, syntheticTag } from './card-words.ts';
import { type Evaluation, evaluate, type LabelledSet } from './evaluate.ts';
import { manifestObject, manifestText } from './manifest.ts';
import { compareLogits, type Difference, inferenceGraphs } from './network.ts';
import type { DataRecord, Provenance, RecipeObject, RobustnessRecord } from './provenance.ts';
import { type Weights, weightsDigest, writeWeights } from './weights.ts';

/** What the caller knows of a training; export adds what it computes itself. */
export interface TrainingFacts extends Pick<Provenance, 'name' | 'seed' | 'versions' | 'training'> {
  /** As parsed, defaults written out, in the recipe file's own format. */
  readonly recipe: RecipeObject;
  readonly data: readonly DataRecord[];
  /** Whether the weights are averages over the steps. */
  readonly averaged?: boolean;
  readonly robustness?: readonly RobustnessRecord[];
}

export interface ExportOptions {
  /** The one training ran on: its threads and optimisation level go into the card. */
  readonly runtime: Runtime;
  readonly provenance: TrainingFacts;
  /** Inputs of samples the exported logits are compared on; drawn within the bounds where there are none. */
  readonly samples?: readonly Inputs[];
  /** Sets the exported file is judged on. */
  readonly evaluate?: Partial<Readonly<Record<Evaluation['split'], LabelledSet>>>;
  /** Fold BatchNormalization into the weights; default: unless the network compares (network.ts). */
  readonly fold?: boolean;
}

export interface Exported {
  readonly onnx: Uint8Array;
  /** The sidecar manifest, YAML; the same is inside the file. */
  readonly manifest: string;
  /** Markdown with YAML front matter. */
  readonly card: string;
  /** Raw weights under their training names, .npz. */
  readonly weights: Uint8Array;
  readonly provenance: Provenance;
  readonly difference: Difference;
}

/**
 * Writes trained weights as a plain inference model: opset 18, default domain, symbolic batch, output `logits`, nothing left to be inferred.
 * Throws an Error where the weights are not the network's, and LogitsDiffer, a UserError, where the exported logits differ from the trained network's by
 * more than 1e-5.
 */
export async function exportModel(weights: Weights, architecture: Architecture, options: ExportOptions): Promise<Exported> {
  const { runtime, provenance: facts } = options;
  const { name } = facts;
  const { trained, plain, noise, counts } = await inferenceGraphs(architecture, weights, {
    runtime,
    ...(options.fold === undefined ? {} : { fold: options.fold }),
  });
  const { coupling } = await findCoupling(
    { name, graph: plain, inputs: architecture.inputs, ...(noise.length === 0 ? {} : { randoms: randomsOf(noise) }) },
    logitsOutput,
    runtime.execute,
  );
  const start = {
    name,
    classes: [...architecture.classes],
    seed: facts.seed,
    data: [...facts.data],
    versions: facts.versions,
    runtime: { ...runtime.options, providers: [...runtime.options.providers] },
    training: facts.training,
    weights: { sha256: await weightsDigest(weights), ...counts, averaged: facts.averaged ?? false },
  };
  const manifest = manifestObject({ ...architecture, name, coupling, note: noteOf(facts, architecture) });
  const inFile = { ...start, recipe: withoutTraining(facts.recipe, architecture) };
  const onnx = writeModel(labelled(drawing(plain, noise), { provoke: manifest, provenance: inFile }));
  const difference = await compareLogits(
    { trained, noise, exported: onnx, architecture },
    { runtime, ...(options.samples === undefined ? {} : { samples: options.samples }) },
  );
  const evaluations: Evaluation[] = [];
  for (const split of ['train', 'validation', 'test'] as const) {
    const set = options.evaluate?.[split];
    if (set !== undefined) evaluations.push(await evaluate(onnx, architecture, set, { runtime, split }));
  }
  const provenance: Provenance = {
    ...start,
    ...surrogatesOf(architecture),
    exported: {
      sha256: await sha256Hex(onnx),
      difference: difference.largest,
      samples: difference.samples,
      drawn: difference.drawn,
      folded: counts.statistics > 0 && !readModel(onnx).nodes.some((n) => n.op === 'BatchNormalization'),
      ...(difference.moved === undefined ? {} : { moved: difference.moved }),
    },
    evaluations: evaluations.map((e) => ({ ...e, confusion: e.confusion.map((row) => [...row]) })),
    ...(facts.robustness === undefined ? {} : { robustness: [...facts.robustness] }),
  };
  return {
    onnx,
    manifest: manifestText(manifest),
    card: writeCard({ architecture, recipe: facts.recipe, provenance }),
    weights: writeWeights(weights),
    provenance,
    difference,
  };
}

/** What stood for the derivative of comparisons while training; each once. */
function surrogatesOf({ surrogates = [] }: Architecture): Pick<Provenance, 'surrogates'> {
  return surrogates.length === 0 ? {} : { surrogates: [...new Set(surrogates.map((s) => s.label))] };
}

/** The recipe as the file holds it: what a network was trained through is not part of a network that is deployed. */
function withoutTraining(recipe: RecipeObject, { trainingOnly = [] }: Architecture): RecipeObject {
  const { model } = recipe;
  if (trainingOnly.length === 0 || typeof model !== 'object' || model === null) return recipe;
  return { ...recipe, model: Object.fromEntries(Object.entries(model).filter(([option]) => !trainingOnly.includes(option))) };
}

/** What whoever runs the model should know, in one line of the manifest. */
function noteOf({ recipe, data }: TrainingFacts, { surrogates = [] }: Architecture): string {
  const sets = data.filter((d) => d.split === 'train').map((d) => `${d.name}${syntheticTag(d.synthetic)}`);
  const made = syntheticSets({ data: [...data] }).length > 0;
  return [
    `trained with provoke on ${sets.join(', ') || 'unnamed data'}; defence: ${defenceLine(recipe)}`,
    ...(made ? ['synthetic data: figures from it say nothing about people'] : []),
    ...(surrogates.length > 0 ? ['trained through surrogate derivatives, which are not in the file: the card names them'] : []),
  ].join('; ');
}

/** The graph with these objects in its metadata, as JSON. */
function labelled(graph: Graph, entries: Readonly<Record<string, unknown>>): Graph {
  const texts = Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)] as const);
  return { ...graph, metadata: new Map([...graph.metadata, ...texts]) };
}
