/** @file A trained network as a plain inference graph, and the proof that it computes the same logits. */
import { UserError } from '../../../core/errors.ts';
import type { Graph } from '../../../core/onnx/graph.ts';
import { prepare } from '../../../core/onnx/passes/prepare.ts';
import { readModel } from '../../../core/onnx/reader.ts';
import type { Feeds, Runtime } from '../../../core/runtime/runtime.ts';
import { stream } from '../../../core/tensor/random.ts';
import { sizeOf, type Tensor } from '../../../core/tensor/tensor.ts';
import { packChunk } from '../../model/batches.ts';
import { drawsOf } from '../../model/draws.ts';
import { drawn } from '../../model/find-coupling.ts';
import { findRandoms } from '../../model/find-randoms.ts';
import type { Inputs } from '../../model/model.ts';
import { type Architecture, buildNetwork, logitsOutput } from '../architecture.ts';
import { randomsOf } from '../draws.ts';
import type { NoiseInput } from '../net.ts';
import { type Weights, withWeights } from './weights.ts';

export interface InferenceGraphs {
  /** As training has it in inference mode: normalisation apart, on its running statistics. */
  readonly trained: Graph;
  /** Normalisation folded into the weights, constants folded; default domain only, the batch symbolic, output `logits`. */
  readonly plain: Graph;
  /** What it draws: inputs of both graphs, nodes of the file (draws.ts). */
  readonly noise: readonly NoiseInput[];
  /** How many numbers were trained, and how many are running statistics. */
  readonly counts: { readonly parameters: number; readonly statistics: number };
}

export interface InferenceGraphsOptions {
  readonly runtime: Runtime;
  /**
   * Fold BatchNormalization into the weights. Default: unless the network compares (it has surrogates). A potential within rounding of its threshold
   * would fire in one file and not in the other.
   */
  readonly fold?: boolean;
}

/** Whether a network compares on its way: there, rounding may decide between two answers that are far apart. */
export const compares = ({ surrogates = [] }: Architecture): boolean => surrogates.length > 0;

/** Writes a network for inference with trained weights in it. Throws where the weights are not those of the network. */
export async function inferenceGraphs(
  architecture: Architecture,
  weights: Weights,
  { runtime, fold = !compares(architecture) }: InferenceGraphsOptions,
): Promise<InferenceGraphs> {
  const network = buildNetwork(architecture, { mode: 'inference', seed: 0 });
  const trained = withWeights(network, weights);
  const plain = await prepare(trained, runtime.execute, { batchNorm: fold });
  const foreign = [...plain.opsets.keys()].filter((domain) => domain !== '');
  if (foreign.length > 0) throw new Error(`${architecture.name} uses operators of ${foreign.join(', ')}`);
  const counts = { parameters: countOf(network.parameters, weights), statistics: countOf(network.statistics.keys(), weights) };
  return { trained, plain: { ...plain, name: architecture.name }, noise: network.noise, counts };
}

const countOf = (names: Iterable<string>, weights: Weights): number =>
  [...names].reduce((sum, name) => sum + sizeOf(weights[name]!.dims), 0);

export interface Difference {
  /** Largest |exported - trained| over samples and classes, relative to max(1, the sample's largest |logit|). */
  readonly largest: number;
  /** Samples compared. */
  readonly samples: number;
  /** Whether they were drawn at random within the bounds of the inputs, or given. */
  readonly drawn: boolean;
  /** Of a network that compares: samples whose logits move by more once the runtime has optimised the graph. */
  readonly moved?: number;
}

/** Thrown where an exported file has other logits than the trained network. */
export class LogitsDiffer extends UserError {
  constructor(
    message: string,
    /** Largest |exported - trained|, relative to max(1, the sample's largest |logit|). */
    readonly difference: number,
    /** Whether normalisation was folded into the weights of the file. */
    readonly folded: boolean,
  ) {
    super(
      message,
      folded
        ? 'export it unfolded (fold: false): folding normalisation into the weights rounds them anew'
        : 'its logits hang on the rounding of large sums that cancel: train with a lower learning rate or more weight decay',
    );
  }
}

export const checkDefaults = { drawn: 32, tolerance: 1e-5 } as const;

/**
 * Compares the logits of the exported bytes, run as users run them, with those of the trained graph, run node by node without optimisation.
 * Samples: those given, otherwise 32 drawn. Throws LogitsDiffer, a UserError, where they differ by more than 1e-5. A network that compares is run node by
 * node both times: where rounding decides whether a neuron fires, no two orders of a sum agree; how many samples that moves is counted.
 */
export async function compareLogits(
  { trained, noise = [], exported, architecture }: Compared,
  { runtime, samples }: { runtime: Runtime; samples?: readonly Inputs[] },
): Promise<Difference> {
  const randoms = randomsOf(noise);
  const model = { name: architecture.name, inputs: architecture.inputs, graph: trained, randoms };
  const isDrawn = samples === undefined || samples.length === 0;
  const asked = isDrawn ? Array.from({ length: checkDefaults.drawn }, (_, i) => drawn(model, `sample ${i}`)) : samples;
  const drawnFor = asked.map((inputs, i) => ({ ...inputs, ...drawsOf(randoms, stream('export', i), 0) }));
  const whole = packChunk(model, drawnFor, { start: 0, count: asked.length, size: asked.length });
  const wanted = (await runtime.execute(trained, whole))[logitsOutput]!;
  const file = await findRandoms(readModel(exported, { source: architecture.name }), runtime.execute, 'N');
  const { graph } = file;
  const feeds = renamed(whole, Object.keys(randoms), Object.keys(file.randoms));
  const session = await runtime.open(graph);
  let got: Tensor;
  try {
    got = (await session.run(feeds))[logitsOutput]!;
  } finally {
    await session.release();
  }
  const strict = compares(architecture) ? (await runtime.execute(graph, feeds))[logitsOutput]! : got;
  const classes = architecture.classes.length;
  const largest = Math.max(...distances(wanted, strict, classes));
  if (!(largest <= checkDefaults.tolerance))
    throw new LogitsDiffer(
      `${architecture.name}: the exported network differs from the trained one by ${largest.toExponential(2)} of the largest logit ` +
        `(over ${asked.length} samples; ${checkDefaults.tolerance} is allowed)`,
      largest,
      normalises(trained) && !normalises(graph),
    );
  const moved = distances(wanted, got, classes).filter((d) => !(d <= checkDefaults.tolerance)).length;
  return { largest, samples: asked.length, drawn: isDrawn, ...(compares(architecture) ? { moved } : {}) };
}

interface Compared {
  readonly trained: Graph;
  /** Inputs of it that hold random numbers. */
  readonly noise?: readonly NoiseInput[];
  readonly exported: Uint8Array;
  readonly architecture: Architecture;
}

/** The same draws under the names they have in the file, whose nodes draw in the same order. */
function renamed(feeds: Feeds, from: readonly string[], to: readonly string[]): Feeds {
  if (from.length !== to.length) throw new Error(`${to.length} nodes of the file draw, and ${from.length} inputs are drawn`);
  return Object.fromEntries(Object.entries(feeds).map(([name, value]) => [to[from.indexOf(name)] ?? name, value]));
}

const normalises = ({ nodes }: Graph): boolean => nodes.some(({ op }) => op === 'BatchNormalization');

/** Per sample, the largest distance of its logits relative to max(1, the largest |logit|); NaN where one of them is not finite. */
function distances(wanted: Tensor, got: Tensor, classes: number): number[] {
  const [a, b] = [wanted.data as Float32Array, got.data as Float32Array];
  if (a.length !== b.length) throw new Error(`${b.length} logits were exported, ${a.length} expected`);
  return Array.from({ length: a.length / classes }, (_, n) => {
    const [z, y] = [a, b].map((all) => Array.from(all.subarray(n * classes, (n + 1) * classes))) as [number[], number[]];
    return Math.max(...z.map((v, c) => Math.abs(v - y[c]!))) / Math.max(1, ...z.map(Math.abs));
  });
}
