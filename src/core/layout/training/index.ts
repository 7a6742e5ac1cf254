/** @file The gradient of a network by its weights, in the form the CPU computes fastest: for graphs whose weights are inputs. */
import { backward, type GradientGraph, type GradientOptions } from '../../autodiff/gradient.ts';
import { graphBuilder } from '../../onnx/builder.ts';
import type { Graph } from '../../onnx/graph.ts';
import { namesOf } from '../../onnx/passes/rewrite.ts';
import { type Execute, inferShapes } from '../../onnx/passes/shapes.ts';
import { batchStandardRule, lowerBatchStandard } from './batch-standard.ts';
import { isInternal } from './internal.ts';
import { overRows } from './over-rows.ts';
import { lowerPatchProduct, patchProductRule } from './patch-product.ts';

export interface TrainingOptions extends GradientOptions {
  /** Inputs whose axes the result may expect in another order: weights that are only ever read by this graph and its updates. */
  readonly hold?: readonly string[];
  /** Positions of the largest map whose convolutions go over rows; by default there is none. */
  readonly positions?: number;
}

export interface TrainingGradient extends GradientGraph {
  /** Inputs the graph expects, and whose gradients it returns, with their axes in another order: that order, as Transpose counts. */
  readonly held: ReadonlyMap<string, readonly number[]>;
}

/** Like `gradient`, for a graph that is prepared and whose bodies are plain. */
export async function trainingGradient(graph: Graph, execute: Execute, options: TrainingOptions): Promise<TrainingGradient> {
  const shapes = await inferShapes(graph, execute);
  if ((options.provider ?? 'cpu') !== 'cpu')
    return { ...backward({ graph, standIn: new Map() }, shapes, options), held: new Map() };
  const { graph: rows, held } = overRows(graph, (name) => shapes.get(name)?.dims, {
    hold: options.hold ?? [],
    ...(options.positions === undefined ? {} : { positions: options.positions }),
  });
  const known = rows === graph ? shapes : await inferShapes(lowered(rows), execute);
  const made = backward({ graph: rows, standIn: new Map() }, known, {
    ...options,
    surrogates: [...(options.surrogates ?? []), patchProductRule, batchStandardRule],
  });
  return { ...made, held, graph: lowered(made.graph), substitutes: made.substitutes.filter(({ label }) => !own.has(label)) };
}

const own = new Set([patchProductRule.label, batchStandardRule.label]);

/** Ordinary nodes in the place of internal ones. */
function lowered(graph: Graph): Graph {
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken: namesOf(graph) });
  for (const node of graph.nodes) {
    if (isInternal(node, 'PatchProduct')) lowerPatchProduct(g, node);
    else if (isInternal(node, 'BatchStandard')) lowerBatchStandard(g, node);
    else g.add(node);
  }
  return g.build();
}
