/**
 * @file Random weights for a topology, by a formula short enough to be repeated in any language.
 *
 * The float32 constants of the graph are numbered 0, 1, 2, ... in the order in which the nodes, first to last, first name them among their inputs;
 * each is drawn by the first input that names it (the table below; other constants keep their values, but are numbered too).
 * Element i (row-major) of constant number t is made from word i mod 4 of
 *   Philox4x32-10(counter = [floor(i / 4), 0, 0, 0], key = [seed, t])
 * as u = word / 2^32, in float64, and rounded to float32 once:
 *
 *   Conv 1 (weights)                       (2u - 1) sqrt(6 / fanIn), fanIn = elements / dims[0]
 *   ConvTranspose 1                        the same, fanIn = elements / dims[1]
 *   Gemm 1, MatMul 1                       the same, fanIn = dims[0] (dims[1] with transB)
 *   BatchNormalization 1 and 4 (scale, variance), Mul 0 or 1     0.5 + u
 *   BatchNormalization 2 and 3 (bias, mean), Conv 2, ConvTranspose 2, Gemm 2, Add 0 or 1     0.2 (u - 0.5)
 *
 * Weights are He-uniform (He et al. 2015): ReLU keeps the size of what passes through them.
 */
import { type Graph, intOf, type Node } from '../../src/core/onnx/graph.ts';
import { philox } from '../../src/core/tensor/random.ts';
import { tensor } from '../../src/core/tensor/tensor.ts';

type Draw = (u: number) => number;

const positive: Draw = (u) => 0.5 + u;
const small: Draw = (u) => 0.2 * (u - 0.5);

/** How input `index` of the node is drawn; undefined for what is no weight. */
function drawFor(node: Node, index: number, dims: readonly number[]): Draw | undefined {
  const elements = dims.reduce((n, d) => n * d, 1);
  const he = (fanIn: number): Draw => {
    const bound = Math.sqrt(6 / fanIn);
    return (u) => (2 * u - 1) * bound;
  };
  switch (`${node.op} ${index}`) {
    case 'Conv 1':
      return he(elements / dims[0]!);
    case 'ConvTranspose 1':
      return he(elements / dims[1]!);
    case 'Gemm 1':
      return he(intOf(node, 'transB', 0) === 1 ? dims[1]! : dims[0]!);
    case 'MatMul 1':
      return he(dims[0]!);
    case 'BatchNormalization 1':
    case 'BatchNormalization 4':
    case 'Mul 0':
    case 'Mul 1':
      return positive;
    case 'BatchNormalization 2':
    case 'BatchNormalization 3':
    case 'Conv 2':
    case 'ConvTranspose 2':
    case 'Gemm 2':
    case 'Add 0':
    case 'Add 1':
      return small;
    default:
      return undefined;
  }
}

/** The graph with random weights; constants must be folded (passes/prepare.ts: foldedOnly), BatchNormalization not. `seed` is an unsigned 32-bit number. */
export function reseed(graph: Graph, seed: number): Graph {
  const initializers = new Map(graph.initializers);
  const seen = new Set<string>();
  for (const node of graph.nodes) {
    for (const [index, name] of node.inputs.entries()) {
      const value = graph.initializers.get(name);
      if (value?.dtype !== 'float32' || seen.has(name)) continue;
      const draw = drawFor(node, index, value.dims);
      if (draw !== undefined)
        initializers.set(name, tensor('float32', value.dims, fill(value.data.length, [seed, seen.size], draw)));
      seen.add(name);
    }
  }
  return { ...graph, initializers };
}

function fill(length: number, key: readonly [number, number], draw: Draw): Float32Array {
  const data = new Float32Array(length);
  for (let i = 0; i < length; i += 4) {
    const words = philox([i / 4, 0, 0, 0], key);
    for (let j = 0; j < 4 && i + j < length; j++) data[i + j] = draw(words[j]! / 2 ** 32);
  }
  return data;
}
