/**
 * @file Quantised models in float32, for their derivative: what the file holds as integers is held as floats of the same value, so that rounding is a
 * Round node (whose derivative a straight-through surrogate stands in for), saturation a Clip, and everything between is differentiable as it is.
 */
import { UserError } from '../../errors.ts';
import type { DType } from '../../tensor/tensor.ts';
import { graphBuilder } from '../builder.ts';
import { elementType } from '../dtypes.ts';
import { bodiesOf, describeNode, type Graph, intOf, type Node, nodeName } from '../graph.ts';
import { writeOf } from './dequantise/operators.ts';
import { type Writer, writerOf } from './dequantise/writer.ts';
import { capturedBy, dropDead } from './drop-dead.ts';
import { namesOf } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

export interface Dequantised {
  readonly graph: Graph;
  /** Nodes of the copy that round; their derivative is zero almost everywhere. */
  readonly roundings: readonly string[];
}

/** Whether a node rounds values to integers while the model runs. */
export const quantises = (node: Node): boolean =>
  writeOf(node) !== undefined && node.op !== 'DequantizeLinear' && node.op !== 'QLinearConcat';

const integers = new Set<DType | undefined>(['uint8', 'int8', 'uint16', 'int16', 'int32', 'uint32']);

/** Operators of whose inputs only these hold elements; the others are sizes and indices. */
const elements: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(
    ['Slice', 'Gather', 'GatherElements', 'GatherND', 'Reshape', 'Tile', 'Expand', 'Squeeze', 'Unsqueeze', 'Split'].map((op) => [
      op,
      [0],
    ]),
  ),
  Pad: [0, 2],
};

/**
 * The copy of a prepared graph, all of whose shapes are known: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, QLinearConv, QLinearMatMul,
 * ConvInteger, MatMulInteger and the com.microsoft operators of onnxruntime's quantiser, and whatever moves integers between them. It computes what
 * the file computes, up to float32 rounding. Nodes inside bodies of If, Loop and Scan stay as they are. Throws a UserError for what cannot be written.
 */
export function dequantise(graph: Graph, shapes: ShapeTable): Dequantised {
  const g = graphBuilder({ from: { ...graph, nodes: [], values: new Map() }, taken: namesOf(graph) });
  const w = writerOf(g, graph, shapes);
  const fromFloat = castsToIntegers(graph, w);
  for (const node of graph.nodes) {
    const write = writeOf(node);
    if (write !== undefined) write(node, w);
    else if (fromFloat.has(node)) floor(node, w);
    else move(node, w);
  }
  const built = dropDead(g.build());
  const outputs = built.outputs.map((v) => (w.floats.has(v.name) ? { ...v, dtype: 'float32' as const } : v));
  return { graph: { ...built, outputs }, roundings: w.roundings };
}

/** A node between quantised ones: on floats where it moved integers, otherwise as it is. */
function move(node: Node, w: Writer): void {
  const captured = bodiesOf(node)
    .flatMap(capturedBy)
    .find((name) => w.floats.has(name));
  if (captured !== undefined)
    throw new UserError(
      `${describeNode(node)} reads the quantised value "${captured}" in its body, for which there is no derivative`,
      'quantise the model outside of its control flow only',
    );
  const positions = node.domain === '' ? (elements[node.op] ?? [...node.inputs.keys()]) : [];
  const moved = positions.filter((i) => w.floats.has(node.inputs[i] ?? ''));
  const made = node.outputs.filter((o) => integers.has(w.dtype(o)));
  if (moved.length === 0 || made.length === 0) {
    w.g.add(node);
    return;
  }
  const type = w.dtype(node.inputs[moved[0]!]!);
  const inputs = node.inputs.map((name, i) =>
    name !== '' && positions.includes(i) && w.dtype(name) === type ? w.asFloat(name) : name,
  );
  for (const output of made) w.floats.add(output);
  w.g.add(node.op === 'Cast' ? { ...node, op: 'Identity', inputs, attributes: new Map() } : { ...node, inputs });
}

/** Whole numbers of a float input that is attacked (kit/model/float-input.ts), where the file quantised them beforehand. */
function floor(node: Node, w: Writer): void {
  const name = nodeName(node);
  w.g.add({ ...node, op: 'Floor', name, attributes: new Map() });
  w.roundings.push(name);
  w.floats.add(node.outputs[0]!);
}

/** Casts from float to integers that reach an operator of quantised models by moves alone. */
function castsToIntegers(graph: Graph, { dtype }: Writer): ReadonlySet<Node> {
  const wanted = new Set<string>();
  const found = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    const isWanted = wanted.has(node.outputs[0] ?? '') && integers.has(dtype(node.outputs[0]!));
    if (writeOf(node) !== undefined) for (const name of node.inputs) wanted.add(name);
    else if (isWanted && node.op === 'Cast') {
      if (dtype(node.inputs[0]!) === 'float32' && intOf(node, 'to', 0) !== elementType('int32')) found.add(node);
    } else if (isWanted) wanted.add(node.inputs[0]!);
  }
  return found;
}
