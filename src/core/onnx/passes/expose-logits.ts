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

const isQuantisation = (node: Node): boolean => node.op === 'QuantizeLinear' || node.op === 'DequantizeLinear';

const ends: Readonly<Record<string, 'softmax' | 'sigmoid'>> = {
  Softmax: 'softmax',
  Sigmoid: 'sigmoid',
  'com.microsoft::QLinearSoftmax': 'softmax',
  'com.microsoft::QLinearSigmoid': 'sigmoid',
};

/**
 * Finds the Softmax (or Sigmoid) an output ends in, possibly followed by ops that only change its shape or quantise it, and makes its input an output too,
 * put through the same shape changes. Throws when `outputName` is no output.
 */
export function logitsOf(graph: Graph, outputName: string): Logits {
  const declared = graph.outputs.find((v) => v.name === outputName);
  if (declared === undefined) throw new Error(`the graph has no output "${outputName}"`);
  const producers = producersOf(graph);
  const after: Node[] = [];
  let node = producers.get(outputName);
  while (node !== undefined && (isQuantisation(node) || (node.domain === '' && shapeOnly.has(node.op)))) {
    if (!isQuantisation(node)) after.unshift(node);
    node = producers.get(node.inputs[0]!);
  }
  const kind = node === undefined ? undefined : ends[node.domain === '' ? node.op : `${node.domain}::${node.op}`];
  if (node === undefined || kind === undefined) return { graph, logits: outputName, kind: 'none' };
  const g = graphBuilder({ from: graph });
  // the operators of quantised models take integers, with their scale and zero point
  let logits = node.domain === '' ? node.inputs[0]! : g.op('DequantizeLinear', node.inputs.slice(0, 3), {}, g.fresh('logits'));
  for (const step of after) {
    const made = g.fresh('logits');
    g.add({ ...step, name: made, inputs: [logits, ...step.inputs.slice(1)], outputs: [made] });
    logits = made;
  }
  const isOwn =
    node.domain !== '' || after.length > 0 || (producers.has(logits) && !graph.outputs.some((v) => v.name === logits));
  const known = graph.outputs.some((v) => v.name === logits);
  if (!isOwn && !known) logits = g.op('Identity', [logits], {}, g.fresh('logits'));
  if (!known) {
    const isReal = declared.dtype?.startsWith('float') === true;
    if (declared.dims === undefined || declared.dtype === undefined || !isReal) g.untypedOutput(logits);
    else g.output(logits, declared.dims, declared.dtype);
  }
  return { graph: g.build(), logits, kind };
}

/** Scale and zero point of an output that the file leaves quantised, as inputs of a DequantizeLinear; undefined where no QuantizeLinear is its end. */
export function scaleOf(graph: Graph, outputName: string): readonly string[] | undefined {
  const producers = producersOf(graph);
  let node = producers.get(outputName);
  while (node !== undefined && node.domain === '' && shapeOnly.has(node.op) && node.op !== 'Cast')
    node = producers.get(node.inputs[0]!);
  const scale = node?.op === 'QuantizeLinear' ? graph.initializers.get(node.inputs[1]!) : undefined;
  return scale?.data.length === 1 ? node?.inputs.slice(1, 3) : undefined;
}
