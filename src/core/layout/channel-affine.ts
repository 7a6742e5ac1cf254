/** @file Factors and offsets per channel as depthwise 1 x 1 convolutions: the one form of them the CPU runtime computes in its blocked convolution layout. */
import { graphBuilder } from '../onnx/builder.ts';
import { consumersOf, type Graph, type Node, producersOf } from '../onnx/graph.ts';
import { namesOf } from '../onnx/passes/rewrite.ts';
import { f32, type Tensor } from '../tensor/tensor.ts';
import type { DimsOf } from './sizes.ts';

/** Channels come in blocks of 8 (AVX2) or 16 (AVX-512). */
const block = 16;

/** Ops whose pictures are, or can be, in the blocked layout. */
const pictorial = new Set('Conv MaxPool AveragePool Concat Add Sum Mul Relu HardSigmoid Sigmoid Tanh Clip'.split(' '));

/**
 * The graph with x f + b (f and b constants per channel) as one convolution wherever a picture of whole blocks comes from or goes to other pictorial ops:
 * normalisation before activation, as in DenseNet, otherwise leaves the layout at every layer.
 */
export function affineAsConvolution(graph: Graph, dimsOf: DimsOf): Graph {
  const [producers, consumers] = [producersOf(graph), consumersOf(graph)];
  const outputs = new Set(graph.outputs.map((v) => v.name));
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken: namesOf(graph) });
  const done = new Set<Node>();
  let changed = false;
  for (const node of graph.nodes) {
    if (done.has(node)) continue;
    const scaling = scalingOf(node, graph, dimsOf);
    if (scaling === undefined || !pictorial.has(producers.get(scaling.x)?.op ?? '')) {
      g.add(node);
      continue;
    }
    changed = true;
    const product = node.outputs[0]!;
    const [next, ...others] = consumers.get(product) ?? [];
    const offset = next === undefined || others.length > 0 || outputs.has(product) ? undefined : offsetOf(next, product, graph);
    const channels = scaling.factors.length;
    const inputs = [scaling.x, g.constant(f32(scaling.factors, [channels, 1, 1, 1]))];
    if (offset?.length === channels) {
      inputs.push(g.constant(f32(offset, [channels])));
      done.add(next!);
    }
    const written = done.has(next!) ? next!.outputs[0]! : product;
    g.op('Conv', inputs, { group: channels, kernel_shape: [1, 1] }, written);
  }
  return changed ? g.build() : graph;
}

/** x and the factors of x f, where x is a picture of whole blocks and f a constant per channel. */
function scalingOf(node: Node, graph: Graph, dimsOf: DimsOf): { x: string; factors: Float32Array } | undefined {
  if (node.op !== 'Mul' || node.domain !== '') return undefined;
  const [a, b] = node.inputs as [string, string];
  for (const [x, constant] of [
    [a, b],
    [b, a],
  ] as const) {
    const factors = perChannel(graph.initializers.get(constant));
    const dims = dimsOf(x);
    if (factors !== undefined && dims?.length === 4 && dims[1] === factors.length && factors.length % block === 0)
      return { x, factors };
  }
  return undefined;
}

function offsetOf(node: Node, product: string, graph: Graph): Float32Array | undefined {
  if (node.op !== 'Add' || node.domain !== '') return undefined;
  const other = node.inputs[0] === product ? node.inputs[1]! : node.inputs[0]!;
  return perChannel(graph.initializers.get(other));
}

/** The values of a float32 constant [C, 1, 1] or [1, C, 1, 1]. */
function perChannel(value: Tensor | undefined): Float32Array | undefined {
  if (value?.dtype !== 'float32') return undefined;
  const dims = value.dims.length === 4 && value.dims[0] === 1 ? value.dims.slice(1) : value.dims;
  return dims.length === 3 && dims[1] === 1 && dims[2] === 1 ? (value.data as Float32Array) : undefined;
}
