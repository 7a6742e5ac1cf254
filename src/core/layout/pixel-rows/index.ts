/**
 * @file Convolutions of small pictures as matrix products over pixel rows ([batch, position, channel]). The CPU runtime's convolution reads all weights
 * anew for every sample of a batch; on a map of 4 x 4 that is what it waits for. A matrix product reads them once.
 */
import { graphBuilder } from '../../onnx/builder.ts';
import { type Graph, type Node, readsOf } from '../../onnx/graph.ts';
import { namesOf } from '../../onnx/passes/rewrite.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DimsOf } from '../sizes.ts';
import { type Picture, positionsOf } from './picture.ts';
import { planOf } from './plan.ts';

/**
 * Measured on two cores, batch 8: 512 channels at 4x4 2.5 to 2.0 ms alone, 3.0 to 2.2 inside ResNet-18, at 2x2 1.4 to 0.55, at 5x5 3.7 to 3.25, at 7x7
 * even; 256 channels, whose weights stay in the cache, even at 4x4.
 */
export const pixelRowsDefaults: Required<PixelRowsOptions> = { positions: 25, weights: 2 ** 20 };

export interface PixelRowsOptions {
  /** Most positions of the map on the side of the product. */
  positions?: number;
  /** Fewest weights that are worth leaving the convolution for. */
  weights?: number;
}

const elementwise = new Set(['Relu', 'HardSigmoid', 'Sigmoid', 'Tanh', 'Add', 'Sum', 'Sub', 'Mul']);

/** The graph with its small convolutions, and the elementwise operations between them, over pixel rows. `dimsOf` knows the sizes of values (null: the batch). */
export function overPixelRows(graph: Graph, dimsOf: DimsOf, options: PixelRowsOptions = {}): Graph {
  const limits = { ...pixelRowsDefaults, ...options };
  const g = graphBuilder({ from: { ...graph, nodes: [], outputs: [] }, taken: namesOf(graph) });
  const rows = new Map<string, string>();
  const found = new Map<string, Picture>();
  /** Values that exist as rows only, so far. */
  const pending = new Set<string>();
  const picture = (name: string): Picture | undefined => found.get(name) ?? pictureOf(dimsOf(name));
  const asPicture = (name: string): void => {
    if (!pending.delete(name)) return;
    const turned = g.op('Transpose', [rows.get(name)!], { perm: [0, 2, 1] });
    g.op('Reshape', [turned, g.ints([-1, ...picture(name)!])], {}, name);
  };
  const asRows = (name: string): string => {
    const known = rows.get(name);
    if (known !== undefined) return known;
    const size = picture(name)!;
    const flat = g.op('Reshape', [name, g.ints([-1, size[0], positionsOf(size)])]);
    const made = g.op('Transpose', [flat], { perm: [0, 2, 1] });
    rows.set(name, made);
    return made;
  };
  const give = (name: string, value: string, size: Picture): void => {
    rows.set(name, value);
    found.set(name, size);
    pending.add(name);
  };
  const worthwhile = (node: Node, side: Picture, weights: Tensor): boolean =>
    positionsOf(side) <= limits.positions && (weights.data.length >= limits.weights || rows.has(node.inputs[0]!));

  for (const node of graph.nodes) {
    const plan = planOf(node, graph, picture);
    if (plan !== undefined && worthwhile(node, plan.side, plan.weights)) {
      give(node.outputs[0]!, plan.write(g, asRows(node.inputs[0]!)), plan.size);
      continue;
    }
    const size = sharedPicture(node, picture);
    const have = node.inputs.filter((name) => rows.has(name)).length;
    if (size !== undefined && have > 0 && (have === node.inputs.length || positionsOf(size) <= limits.positions)) {
      const inputs = node.inputs.map(asRows);
      const output = g.fresh(`${node.outputs[0]!}_rows`);
      g.add({ ...node, name: output, inputs, outputs: [output] });
      give(node.outputs[0]!, output, size);
      continue;
    }
    for (const name of readsOf(node)) asPicture(name);
    g.add(node);
  }
  if (rows.size === 0) return graph;
  for (const { name } of graph.outputs) asPicture(name);
  return { ...g.build(), outputs: graph.outputs };
}

function pictureOf(dims: ReturnType<DimsOf>): Picture | undefined {
  if (dims?.length !== 4) return undefined;
  const size = dims.slice(1);
  return size.every((d) => typeof d === 'number') ? (size as unknown as Picture) : undefined;
}

/** The size all inputs of an elementwise node have; undefined where it broadcasts, or is no elementwise node. */
function sharedPicture(node: Node, picture: (name: string) => Picture | undefined): Picture | undefined {
  if (node.domain !== '' || !elementwise.has(node.op)) return undefined;
  const [first, ...others] = node.inputs.map(picture);
  return first !== undefined && others.every((size) => size?.join() === first.join()) ? first : undefined;
}
