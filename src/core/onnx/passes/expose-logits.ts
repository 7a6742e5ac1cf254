import { graphBuilder } from '../builder.ts';
import { type Graph, type Node, producersOf } from '../graph.ts';

export interface Logits {
  /** The graph, with the logits among its outputs. */
  readonly graph: Graph;
  /** Name of the output that holds the logits, shaped like the output asked about; that output itself where there is nothing to undo. */
  readonly logits: string;
  /** What turns the logits into the output. */
  readonly kind: 'softmax' | 'sigmoid' | 'none';
}

const shapeOnly = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Cast']);

/**
 * Finds the Softmax (or Sigmoid) an output ends in, possibly followed by ops that only change its shape, and makes its input an output too,
 * put through the same shape changes. Throws when `outputName` is no output.
 */
export function logitsOf(graph: Graph, outputName: string): Logits {
  const declared = graph.outputs.find((v) => v.name === outputName);
  if (declared === undefined) throw new Error(`the graph has no output "${outputName}"`);
  const producers = producersOf(graph);
  const after: Node[] = [];
  let node = producers.get(outputName);
  while (node !== undefined && node.domain === '' && shapeOnly.has(node.op)) {
    after.unshift(node);
    node = producers.get(node.inputs[0]!);
  }
  const kind =
    node?.domain !== '' ? undefined : ({ Softmax: 'softmax', Sigmoid: 'sigmoid' } as const)[node.op as 'Softmax' | 'Sigmoid'];
  if (node === undefined || kind === undefined) return { graph, logits: outputName, kind: 'none' };
  const g = graphBuilder({ from: graph });
  let logits = node.inputs[0]!;
  for (const step of after) {
    const made = g.fresh('logits');
    g.add({ ...step, name: made, inputs: [logits, ...step.inputs.slice(1)], outputs: [made] });
    logits = made;
  }
  const isOwn = after.length > 0 || (producers.has(logits) && !graph.outputs.some((v) => v.name === logits));
  const known = graph.outputs.some((v) => v.name === logits);
  if (!isOwn && !known) logits = g.op('Identity', [logits], {}, g.fresh('logits'));
  if (!known) {
    if (declared.dims === undefined || declared.dtype === undefined) g.untypedOutput(logits);
    else g.output(logits, declared.dims, declared.dtype);
  }
  return { graph: g.build(), logits, kind };
}
