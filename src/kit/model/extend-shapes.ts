import { type Graph, type Node, readsOf, type Value } from '../../core/onnx/graph.ts';
import { type Execute, inferShapes, type ShapeTable } from '../../core/onnx/passes/shapes.ts';

/**
 * Shapes of all values of a graph, most of which are known already: only the nodes that make the others are run, on inputs of the known shapes.
 * A size that depends on the batch is taken to be the batch itself at the border between the two.
 */
export async function extendShapes(graph: Graph, known: ShapeTable, execute: Execute): Promise<ShapeTable> {
  const isNew = (node: Node): boolean => node.outputs.some((o) => o !== '' && !known.has(o));
  const nodes = graph.nodes.filter(isNew);
  const made = new Set(nodes.flatMap((n) => n.outputs));
  const read = new Set(nodes.flatMap(readsOf).filter((name) => name !== '' && !made.has(name)));
  const border = [...read].filter((name) => !graph.initializers.has(name));
  const inputs = border.map((name): Value => {
    const entry = known.get(name);
    if (entry !== undefined) return { name, dtype: entry.dtype, dims: entry.dims.map((d) => d ?? 'N') };
    return graph.inputs.find((v) => v.name === name)!;
  });
  const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)));
  const rest = await inferShapes({ ...graph, nodes, inputs, initializers, outputs: [], values: new Map() }, execute);
  const constants = [...graph.initializers].map(([name, t]) => [name, { dtype: t.dtype, dims: t.dims }] as const);
  return new Map([...constants, ...rest, ...known]);
}
