/** @file BatchNormalization with fixed statistics is one multiplication and one addition per channel: into the weights before it where possible. */
import { type NumericDType, numbersOf, type Tensor, tensor } from '../../tensor/tensor.ts';
import { type GraphBuilder, graphBuilder } from '../builder.ts';
import { consumersOf, floatOf, type Graph, intOf, type Node, producersOf } from '../graph.ts';
import { dropDead } from './drop-dead.ts';
import { attributesWithout } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/** y = x * factor + offset, per channel, in float64. */
interface Affine {
  readonly factor: readonly number[];
  readonly offset: readonly number[];
}

/**
 * Folds BatchNormalization (inference) into a preceding Conv, ConvTranspose, Gemm or MatMul (+ Add) that nothing else reads and whose weights are
 * constants; elsewhere it becomes Mul and Add. The folded weights are computed in float64. Shapes give the rank of each value (passes/shapes.ts).
 * In training mode, with computed statistics, or in float16 it is left as it is.
 */
export function foldBatchNorm(graph: Graph, shapes: ShapeTable): Graph {
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken: new Set(graph.nodes.flatMap((n) => n.outputs)) });
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const results = new Set(graph.outputs.map((v) => v.name));
  const sole = (name: string): Node | undefined =>
    !results.has(name) && consumers.get(name)?.length === 1 ? producers.get(name) : undefined;
  const replacement = new Map<Node, Node | undefined>();
  for (const node of graph.nodes) {
    const affine = affineOf(graph, node);
    if (affine === undefined) continue;
    const folded = foldInto(graph, g, node, affine, shapes, sole);
    if (folded === undefined) continue;
    for (const gone of folded.gone) replacement.set(gone, undefined);
    replacement.set(node, folded.node);
  }
  for (const node of graph.nodes) {
    if (replacement.has(node)) {
      const made = replacement.get(node);
      if (made !== undefined) g.add(made);
      continue;
    }
    const affine = affineOf(graph, node);
    if (affine === undefined) g.add(node);
    else writeAffine(g, node, affine, shapes);
  }
  return dropDead(g.build());
}

const floating = (value: Tensor | undefined): value is Tensor<'float32' | 'float64'> =>
  value?.dtype === 'float32' || value?.dtype === 'float64';

function affineOf(graph: Graph, node: Node): Affine | undefined {
  if (node.op !== 'BatchNormalization' || node.domain !== '' || intOf(node, 'training_mode', 0) !== 0) return undefined;
  const constants = node.inputs.slice(1, 5).map((name) => graph.initializers.get(name));
  if (!constants.every(floating)) return undefined;
  const [scale, bias, mean, variance] = constants.map(numbersOf) as [number[], number[], number[], number[]];
  const eps = floatOf(node, 'epsilon', 1e-5);
  const factor = scale.map((s, c) => s / Math.sqrt(variance[c]! + eps));
  return { factor, offset: bias.map((b, c) => b - mean[c]! * factor[c]!) };
}

function writeAffine(g: GraphBuilder, node: Node, { factor, offset }: Affine, shapes: ShapeTable): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const { dtype, dims } = shapes.get(x)!;
  const perChannel = [factor.length, ...new Array<number>(Math.max(0, dims.length - 2)).fill(1)];
  const constant = (values: readonly number[]) => g.constant(ofDtype(dtype as NumericDType, perChannel, values), g.fresh('bn'));
  g.ops('Add', [g.op('Mul', [x, constant(factor)]), constant(offset)], [y]);
}

const ofDtype = (dtype: NumericDType, dims: readonly number[], values: ArrayLike<number>): Tensor =>
  dtype === 'float64' ? tensor('float64', dims, Float64Array.from(values)) : tensor('float32', dims, Float32Array.from(values));

interface Folded {
  readonly node: Node;
  readonly gone: readonly Node[];
}

function foldInto(
  graph: Graph,
  g: GraphBuilder,
  norm: Node,
  affine: Affine,
  shapes: ShapeTable,
  sole: (name: string) => Node | undefined,
): Folded | undefined {
  const before = sole(norm.inputs[0]!);
  if (before === undefined || before.domain !== '') return undefined;
  const rank = shapes.get(norm.inputs[0]!)?.dims.length;
  const outputs = norm.outputs.slice(0, 1);
  const store = (value: Tensor): string => g.constant(value, g.fresh('bn'));
  switch (before.op) {
    case 'Conv':
    case 'ConvTranspose': {
      const weight = graph.initializers.get(before.inputs[1]!);
      const bias = biasOf(graph, before.inputs[2]);
      if (!floating(weight) || bias === undefined) return undefined;
      const channel = before.op === 'Conv' ? convChannel(weight) : transposedChannel(weight, intOf(before, 'group', 1));
      const inputs = [
        before.inputs[0]!,
        store(scaled(weight, affine.factor, channel)),
        store(shifted(weight.dtype, bias, affine)),
      ];
      return { node: { ...before, inputs, outputs }, gone: [before] };
    }
    case 'Gemm': {
      const weight = graph.initializers.get(before.inputs[1]!);
      const bias = biasOf(graph, before.inputs[2]);
      if (!floating(weight) || bias === undefined || (bias.length > 1 && bias.length !== affine.factor.length)) return undefined;
      const columns = weight.dims[1]!;
      const channel = intOf(before, 'transB', 0) === 1 ? (i: number) => Math.floor(i / columns) : (i: number) => i % columns;
      const beta = floatOf(before, 'beta', 1);
      const added = bias.map((b) => b * beta);
      const inputs = [
        before.inputs[0]!,
        store(scaled(weight, affine.factor, channel)),
        store(shifted(weight.dtype, added, affine)),
      ];
      return { node: { ...before, inputs, outputs, attributes: attributesWithout(before, 'beta') }, gone: [before] };
    }
    case 'Add': {
      const [product, bias] = graph.initializers.has(before.inputs[1]!) ? before.inputs : [...before.inputs].reverse();
      const matmul = sole(product!);
      const added = biasOf(graph, bias);
      if (matmul === undefined || added === undefined || bias === undefined || !graph.initializers.has(bias)) return undefined;
      return foldMatMul(matmul, added, [before, matmul]);
    }
    case 'MatMul':
      return foldMatMul(before, [], [before]);
    default:
      return undefined;
  }

  /** The channel is axis 1, so only a product of rank 2 has it in its columns; it becomes a Gemm. */
  function foldMatMul(matmul: Node, bias: readonly number[], gone: readonly Node[]): Folded | undefined {
    const weight = graph.initializers.get(matmul.inputs[1]!);
    const plain =
      matmul.op === 'MatMul' && matmul.domain === '' && rank === 2 && shapes.get(matmul.inputs[0]!)?.dims.length === 2;
    if (!plain || !floating(weight) || (bias.length > 1 && bias.length !== affine.factor.length)) return undefined;
    const columns = weight.dims[1]!;
    const folded = store(scaled(weight, affine.factor, (i) => i % columns));
    const inputs = [matmul.inputs[0]!, folded, store(shifted(weight.dtype, bias, affine))];
    return { node: { ...matmul, op: 'Gemm', inputs, outputs, attributes: new Map() }, gone };
  }
}

/** The constant bias: empty for none, undefined where it is computed or has more than one row. */
function biasOf(graph: Graph, name: string | undefined): number[] | undefined {
  if (name === undefined || name === '') return [];
  const value = graph.initializers.get(name);
  return floating(value) && value.dims.slice(0, -1).every((d) => d === 1) ? numbersOf(value) : undefined;
}

const convChannel = (weight: Tensor): ((i: number) => number) => {
  const perChannel = weight.data.length / weight.dims[0]!;
  return (i) => Math.floor(i / perChannel);
};

/** Weights [Cin, Cout / group, ...]: the output channel counts on through the groups. */
const transposedChannel = (weight: Tensor, group: number): ((i: number) => number) => {
  const [cin, cout] = weight.dims as readonly [number, number];
  const taps = weight.data.length / (cin * cout);
  const perGroup = cin / group;
  return (i) => Math.floor(Math.floor(i / (taps * cout)) / perGroup) * cout + (Math.floor(i / taps) % cout);
};

const scaled = (weight: Tensor<'float32' | 'float64'>, factor: readonly number[], channel: (i: number) => number): Tensor => {
  const data = weight.data.slice();
  for (let i = 0; i < data.length; i++) data[i] = data[i]! * factor[channel(i)]!;
  return tensor(weight.dtype, weight.dims, data as never);
};

/** bias * factor + offset; a bias of one value is shared by all channels, none is zero. */
const shifted = (dtype: NumericDType, bias: readonly number[], { factor, offset }: Affine): Tensor => {
  const at = (c: number): number => (bias.length === 1 ? bias[0]! : (bias[c] ?? 0));
  return ofDtype(
    dtype,
    [factor.length],
    factor.map((f, c) => at(c) * f + offset[c]!),
  );
};
