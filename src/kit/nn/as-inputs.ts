/** @file Weights that are fed instead of stored in the graph. */
import type { Graph, Value } from '../../core/onnx/graph.ts';

/** Constants as inputs of the graph, so that no pass bakes their values in. */
export function asInputs(graph: Graph, names: readonly string[]): Graph {
  const inputs = names.map((name): Value => {
    const { dtype, dims } = graph.initializers.get(name)!;
    return { name, dtype, dims };
  });
  const fed = new Set(names);
  return {
    ...graph,
    inputs: [...graph.inputs, ...inputs],
    initializers: new Map([...graph.initializers].filter(([name]) => !fed.has(name))),
  };
}
