/** @file Any exported model in the one form the gradient walker and its rules work on. */
import { feedsOf, type Graph, opsetOf } from '../graph.ts';
import { asking } from './asking.ts';
import { boxScatters, hasConstantTargets } from './box-scatter.ts';
import { constantsToInitializers } from './constants.ts';
import { countLoops } from './control-flow/counted.ts';
import { nameResults } from './control-flow/named-results.ts';
import { plainBodies } from './control-flow/plain-bodies.ts';
import { unroll } from './control-flow/unroll.ts';
import { dropDead } from './drop-dead.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldConstants, foldSizes } from './fold-constants.ts';
import { inlineFunctions } from './inline-functions.ts';
import { hasPadAxes, padAllAxes } from './pad-axes.ts';
import { constantShapes, explicitPads, hasAutoPad } from './pads.ts';
import { plainRecurrent } from './plain-recurrent.ts';
import { plainTransforms } from './plain-transforms.ts';
import { poolBeforeRelu } from './pool-before-relu.ts';
import { constantTargets, hasComputedTarget } from './reshape-targets.ts';
import { hasBody, someNode } from './rewrite.ts';
import { plainSequences, readsSequences, splitsBySize } from './sequences.ts';
import { type Execute, inferShapes, outerShapes } from './shapes.ts';
import { isTransform, transformProducts } from './transform-products.ts';
import { upgrade } from './upgrade.ts';

export interface PrepareOptions {
  /** Fold BatchNormalization into the weights before it (or into Mul and Add). */
  batchNorm?: boolean;
}

export const prepareDefaults: Required<PrepareOptions> = { batchNorm: true };

/** IR versions a prepared graph may have: the lowest that keeps initializers apart from inputs and suits opset 18, and the highest that suits old readers. */
const irRange = [8, 10] as const;

/**
 * The same model at opset 18 or newer: local functions inlined, constants folded, BatchNormalization folded, padding explicit, Fourier transforms written as products, initializers no longer among the inputs.
 * Symbolic sizes other than the batch must have been bound (bind-dims.ts). Preparing twice changes nothing more.
 * Throws a UserError for opsets that cannot be read, and where the runtime cannot run the model.
 */
export async function prepare(graph: Graph, execute: Execute, options: PrepareOptions = {}): Promise<Graph> {
  const folded = await foldedOnly(graph, execute);
  const batchNorm = options.batchNorm ?? prepareDefaults.batchNorm;
  const asks = someNode(
    folded,
    (n) =>
      isTransform(n) ||
      hasAutoPad(n) ||
      hasComputedTarget(folded, n) ||
      hasConstantTargets(folded, n) ||
      hasPadAxes(folded, n) ||
      (batchNorm && n.op === 'BatchNormalization'),
  );
  if (!asks) return poolBeforeRelu(folded);
  const shapes = await inferShapes(folded, asking(execute));
  const padded = transformProducts(padAllAxes(explicitPads(folded, shapes), shapes), shapes);
  const joined = boxScatters(padded, shapes);
  const plain = constantTargets(joined === padded ? joined : await foldConstants(joined, asking(execute)), shapes);
  return poolBeforeRelu(dropDead(batchNorm ? foldBatchNorm(plain, shapes) : plain));
}

/** The first half of `prepare`: weights and BatchNormalization are still those of the file. */
export async function foldedOnly(graph: Graph, execute: Execute): Promise<Graph> {
  const ask = asking(execute);
  const plain = plainBodies(
    separateInitializers(constantsToInitializers(plainTransforms(plainRecurrent(nameResults(inlineFunctions(graph)))))),
  );
  const constant = await foldConstants(dropDead(await upgradeKnowingShapes(plain, ask)), ask);
  // the runtime cannot run a dilated convolution with SAME padding at all, so what needs no sizes is written out before it is asked for any
  return foldSizesAndConstants(explicitPads(constant, constantShapes(constant)), ask);
}

/** Folds sizes, then whatever has become constant by it, and writes out the control flow whose course is fixed, until nothing more changes. */
export async function foldSizesAndConstants(graph: Graph, execute: Execute, options: { fixed?: boolean } = {}): Promise<Graph> {
  let current = graph;
  for (;;) {
    const constant = await foldConstants(current, execute);
    const sized = await foldSizes(constant, execute, options);
    const folded = sized === constant ? sized : await foldConstants(sized, execute);
    const opened = await withoutSequences(await withoutFixedFlow(folded, execute), execute);
    if (opened === folded) return folded;
    current = dropDead(opened);
  }
}

/** Lengths of Scans are asked of the runtime only where there are any. */
async function withoutFixedFlow(graph: Graph, execute: Execute): Promise<Graph> {
  if (!graph.nodes.some(hasBody)) return graph;
  const shapes = graph.nodes.some((n) => n.op === 'Scan') ? await outerShapes(graph, execute) : undefined;
  return unroll(await countLoops(graph, execute), (name, axis) => shapes?.get(name)?.dims.at(axis) ?? undefined);
}

/** Sizes of what is split into a sequence are asked of the runtime only where there is any. */
async function withoutSequences(graph: Graph, execute: Execute): Promise<Graph> {
  if (!readsSequences(graph)) return graph;
  const shapes = splitsBySize(graph) ? await outerShapes(graph, execute) : undefined;
  return plainSequences(graph, (name, axis) => shapes?.get(name)?.dims.at(axis) ?? undefined);
}

/** Upgrades once; where that had to flatten at run time for a Softmax of unknown rank, asks the runtime for the rank and upgrades again. */
async function upgradeKnowingShapes(graph: Graph, execute: Execute): Promise<Graph> {
  const upgraded = upgrade(graph);
  const unsure =
    opsetOf(graph) < 13 &&
    someNode(upgraded, (n) => n.op === 'Flatten' && !someNode(graph, (m) => m.outputs[0] === n.outputs[0]));
  if (!unsure) return upgraded;
  const shapes = await inferShapes(await foldConstants(upgraded, execute), execute);
  return upgrade(graph, (name) => shapes.get(name)?.dims);
}

/** Old files list initializers among the inputs, as defaults; here they are constants. */
function separateInitializers(graph: Graph): Graph {
  const [lowest, highest] = irRange;
  return {
    ...graph,
    inputs: feedsOf(graph),
    irVersion: Math.min(Math.max(graph.irVersion, lowest), highest),
  };
}
