/** @file A trained network as a plain inference graph, and the proof that it computes the same logits. */
import type { Graph } from '../../../core/onnx/graph.ts';
import { prepare } from '../../../core/onnx/passes/prepare.ts';
import { readModel } from '../../../core/onnx/reader.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import { packChunk } from '../../model/batches.ts';
import { drawn } from '../../model/find-coupling.ts';
import type { Inputs } from '../../model/model.ts';
import { type Architecture, buildNetwork, logitsOutput } from '../architecture.ts';
import { type Weights, withWeights } from './weights.ts';

export interface InferenceGraphs {
  /** As training has it in inference mode: normalisation apart, on its running statistics. */
  readonly trained: Graph;
  /** Normalisation folded into the weights, constants folded; default domain only, the batch symbolic, output `logits`. */
  readonly plain: Graph;
}

export interface InferenceGraphsOptions {
  readonly runtime: Runtime;
  /** Fold BatchNormalization into the weights. */
  readonly fold?: boolean;
}

/** Writes a network for inference with trained weights in it. Throws where the weights are not those of the network. */
export async function inferenceGraphs(
  architecture: Architecture,
  weights: Weights,
  { runtime, fold = true }: InferenceGraphsOptions,
): Promise<InferenceGraphs> {
  const network = buildNetwork(architecture, { mode: 'inference', seed: 0 });
  if (network.noise.length > 0)
    throw new Error(`${architecture.name} reads random numbers in inference: ${network.noise[0]!.name}`);
  const trained = withWeights(network, weights);
  const plain = await prepare(trained, runtime.execute, { batchNorm: fold });
  const foreign = [...plain.opsets.keys()].filter((domain) => domain !== '');
  if (foreign.length > 0) throw new Error(`${architecture.name} uses operators of ${foreign.join(', ')}`);
  return { trained, plain: { ...plain, name: architecture.name } };
}

export interface Difference {
  /** Largest |exported - trained| over samples and classes, relative to max(1, the sample's largest |logit|). */
  readonly largest: number;
  /** Samples compared. */
  readonly samples: number;
  /** Whether they were drawn at random within the bounds of the inputs, or given. */
  readonly drawn: boolean;
}

export const checkDefaults = { drawn: 32, tolerance: 1e-5 } as const;

/**
 * Compares the logits of the exported bytes, run as users run them, with those of the trained graph, run node by node without optimisation.
 * Samples: those given, otherwise 32 drawn. Throws an Error with the figure where they differ by more than 1e-5.
 */
export async function compareLogits(
  { trained, exported, architecture }: { trained: Graph; exported: Uint8Array; architecture: Architecture },
  { runtime, samples }: { runtime: Runtime; samples?: readonly Inputs[] },
): Promise<Difference> {
  const model = { name: architecture.name, inputs: architecture.inputs, graph: trained };
  const isDrawn = samples === undefined || samples.length === 0;
  const asked = isDrawn ? Array.from({ length: checkDefaults.drawn }, (_, i) => drawn(model, `sample ${i}`)) : samples;
  const feeds = packChunk(model, asked, { start: 0, count: asked.length, size: asked.length });
  const wanted = (await runtime.execute(trained, feeds))[logitsOutput]!;
  const session = await runtime.open(readModel(exported, { source: architecture.name }));
  let got: Tensor;
  try {
    got = (await session.run(feeds))[logitsOutput]!;
  } finally {
    await session.release();
  }
  const largest = farthest(wanted.data as Float32Array, got.data as Float32Array, architecture.classes.length);
  if (!(largest <= checkDefaults.tolerance))
    throw new Error(
      `${architecture.name}: the exported network differs from the trained one by ${largest.toExponential(2)} of the largest logit ` +
        `(over ${asked.length} samples; ${checkDefaults.tolerance} is allowed)`,
    );
  return { largest, samples: asked.length, drawn: isDrawn };
}

/** NaN where a logit of either is not finite. */
function farthest(wanted: Float32Array, got: Float32Array, classes: number): number {
  if (wanted.length !== got.length) throw new Error(`${got.length} logits were exported, ${wanted.length} expected`);
  let largest = 0;
  for (let row = 0; row < wanted.length; row += classes) {
    let scale = 1;
    for (let c = 0; c < classes; c++) scale = Math.max(scale, Math.abs(wanted[row + c]!));
    for (let c = 0; c < classes; c++) {
      const apart = Math.abs(wanted[row + c]! - got[row + c]!) / scale;
      if (Number.isNaN(apart)) return Number.NaN;
      largest = Math.max(largest, apart);
    }
  }
  return largest;
}
