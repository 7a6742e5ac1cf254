/** @file ScatterND into a box (what x[:, a:b] = y becomes) as slices joined again: cheaper, and nothing in it names the batch. */
import { numbersOf, type Tensor } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import { type Graph, type Node, stringOf } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/** Whether the node overwrites elements at constant positions. */
export const hasConstantTargets = (graph: Graph, node: Node): boolean =>
  node.op === 'ScatterND' &&
  node.domain === '' &&
  stringOf(node, 'reduction', 'none') === 'none' &&
  graph.initializers.has(node.inputs[1]!);

/** Replaces every ScatterND whose constant indices count through a box of known place; a box that is not whole along an axis of open size stays as it is. */
export function boxScatters(graph: Graph, shapes: ShapeTable): Graph {
  return rewrite(graph, (node, g) => {
    if (!hasConstantTargets(graph, node)) return false;
    const box = boxOf(graph.initializers.get(node.inputs[1]!)!);
    const dims = shapes.get(node.inputs[0]!)?.dims;
    if (box === undefined || dims === undefined) return false;
    const cuts = box.flatMap(({ start, count }, axis): Cut[] => {
      const size = dims[axis]!;
      return start === 0 && count === size ? [] : [{ axis, start, count, size: size ?? Number.NaN }];
    });
    if (cuts.some(({ start, count, size }) => !(start >= 0 && start + count <= size))) return false;
    place(g, node.inputs[0]!, node.inputs[2]!, cuts, node.outputs[0]!);
    return true;
  });
}

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly size: number;
}

/** `data` with `part` in the place that `cuts` describe, axis after axis. */
function place(g: GraphBuilder, data: string, part: string, cuts: readonly Cut[], output: string): void {
  const [cut, ...others] = cuts;
  if (cut === undefined) {
    g.ops('Identity', [part], [output]);
    return;
  }
  const { axis, start, count, size } = cut;
  const between = (from: number, to: number): string[] =>
    from === to ? [] : [g.op('Slice', [data, g.ints([from]), g.ints([to]), g.ints([axis])])];
  let middle = part;
  if (others.length > 0) {
    middle = g.fresh('placed');
    place(g, between(start, start + count)[0]!, part, others, middle);
  }
  g.ops('Concat', [...between(0, start), middle, ...between(start + count, size)], [output], { axis });
}

/** Start and count along each indexed axis, where indices [n_0, ..., n_k-1, k] are start + position everywhere and none is empty. */
function boxOf(indices: Tensor): { start: number; count: number }[] | undefined {
  const depth = indices.dims.at(-1)!;
  const counts = indices.dims.slice(0, -1);
  if (counts.length !== depth || indices.data.length === 0) return undefined;
  const values = numbersOf(indices);
  const box = counts.map((count, axis) => ({ start: values[axis]!, count }));
  const steps = counts.map((_, axis) => counts.slice(axis + 1).reduce((product, n) => product * n, 1));
  const regular = values.every((value, i) => {
    const [row, axis] = [Math.floor(i / depth), i % depth];
    return value === box[axis]!.start + (Math.floor(row / steps[axis]!) % counts[axis]!);
  });
  return regular ? box : undefined;
}
