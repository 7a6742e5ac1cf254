/** @file Models that compute in float16 or in integers: they run as they are, and their derivative is that of a float32 copy beside them. */
import type { Graph } from '../onnx/graph.ts';
import { dequantise, quantises } from '../onnx/passes/dequantise.ts';
import { prepare } from '../onnx/passes/prepare.ts';
import type { Execute, ShapeTable } from '../onnx/passes/shapes.ts';
import { computesInHalves, widen, widenShapes } from '../onnx/passes/widen.ts';
import { type Surrogate, straightThrough, type Twin } from './substitutes.ts';

export interface FloatCopy {
  /** Stands for the graph's outputs; its label says what of. */
  readonly twin: Twin;
  /** Derivatives of the rounding inside the twin. */
  readonly surrogates: readonly Surrogate[];
}

/**
 * The float32 copy of a prepared graph whose shapes are known, or undefined where the graph computes in float32 or float64 alone. float16 weights are
 * widened exactly. Quantised values are rounded and saturated as in the file, and the derivative of the rounding is that of the identity inside the range and
 * zero where it saturates (straight-through: Bengio et al. 2013, arXiv 1308.3432; with saturation: Jacob et al. 2018, arXiv 1712.05877). A range taken from the
 * data (DynamicQuantizeLinear) is held fixed. Throws a UserError, naming the node, for what cannot be written.
 */
export async function floatCopy(graph: Graph, shapes: ShapeTable, execute: Execute): Promise<FloatCopy | undefined> {
  const halves = computesInHalves(shapes);
  const isQuantised = graph.nodes.some(quantises);
  if (!halves && !isQuantised) return undefined;
  const wide = halves ? widen(graph) : graph;
  const { graph: real, roundings } = isQuantised ? dequantise(wide, widenShapes(shapes)) : { graph: wide, roundings: [] };
  const kind = [...(halves ? ['float16'] : []), ...(isQuantised ? ['quantised'] : [])].join(' ');
  return {
    twin: {
      label: `float32 copy of a ${kind} model`,
      inputs: graph.inputs.map((v) => v.name),
      outputs: graph.outputs.map((v) => v.name),
      graph: await prepare(real, execute),
    },
    surrogates: [
      ...roundings.map((name) => ({ ...straightThrough({ name }), label: 'straight-through, zero where it saturates' })),
      { match: { op: 'DynamicQuantizeLinear' }, label: 'range of the quantisation held fixed', rule: () => [] },
    ],
  };
}
