import { intOf, type Node } from '../../../onnx/graph.ts';
import { numbersOf, sizeOf } from '../../../tensor/tensor.ts';
import type { Scene } from '../../rule.ts';
import { inputOf, positive, reshapeTo, type Size, sizeList, sizesOf, zerosLike } from '../sizes.ts';
import { pad } from '../spread.ts';

/** dx of y = x[.., i, ..] along one axis. */
export function gather(scene: Scene, node: Node, dy: string): string {
  const { g, dims } = scene;
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  const axis = positive(intOf(node, 'axis', 0), dims(x).length);
  const size = dims(x)[axis]!;
  const known = scene.constant(indices);
  const picked = known === undefined || size === null ? undefined : numbersOf(known).map((i) => positive(i, size));
  const rank = dims(indices).length;
  const sizes = sizesOf(scene, node.outputs[0]!);
  const count: Size = product(sizes.slice(axis, axis + rank)) ?? -1;
  const line = rank === 1 ? dy : flattenIndexAxes(scene, dy, x, sizes, axis, rank, count);

  if (picked !== undefined && size !== null) {
    const [first = 0] = picked;
    // a run of neighbours is a slice, a permutation has an inverse
    if (picked.every((at, i) => at === first + i))
      return pad(scene, line, dims(x).length, [{ axis, before: first, after: size - first - picked.length }]);
    if (picked.length === size && new Set(picked).size === size) {
      return g.op('Gather', [line, g.ints(picked.map((_, i) => picked.indexOf(i)))], { axis });
    }
  }
  if (axis === 0) {
    return g.op('ScatterND', [zerosLike(scene, x), g.op('Reshape', [indices, g.ints([-1, 1])]), line], { reduction: 'add' });
  }
  const along = g.op('Reshape', [indices, g.ints(dims(x).map((_, i) => (i === axis ? -1 : 1)))]);
  const everywhere = g.op('Expand', [along, g.op('Shape', [line])]);
  return g.op('ScatterElements', [zerosLike(scene, x), everywhere, line], { axis, reduction: 'add' });
}

/** dy with the axes that came from the indices' shape (none, or several) as one axis in the place of `axis`. */
function flattenIndexAxes(
  scene: Scene,
  dy: string,
  x: string,
  sizes: readonly Size[],
  axis: number,
  rank: number,
  count: number,
): string {
  const { g } = scene;
  if (rank === 0) return g.op('Unsqueeze', [dy, g.ints([axis])]);
  const [head, tail] = [sizes.slice(0, axis), sizes.slice(axis + rank)];
  if (count >= 0) return reshapeTo(scene, dy, [...head, count, ...tail]);
  const outer = [...sizesOf(scene, x).slice(0, axis), ...sizesOf(scene, x).slice(axis + 1)];
  const parts = [...outer.slice(0, axis), -1, ...outer.slice(axis)];
  return g.op('Reshape', [dy, sizeList(scene, parts)]);
}

const product = (sizes: readonly Size[]): number | undefined =>
  sizes.every((s) => typeof s === 'number') ? sizeOf(sizes) : undefined;

/** dx of y[b.., i.., :] = x[b.., indices[b.., i.., :]]; the batch coordinates b are written in front of the indices, which ScatterND needs. */
export function gatherND(scene: Scene, node: Node, dy: string): string {
  const { g } = scene;
  const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
  const batch = intOf(node, 'batch_dims', 0);
  return g.op('ScatterND', [zerosLike(scene, x), withBatch(scene, indices, batch), dy], { reduction: 'add' });
}

function withBatch(scene: Scene, indices: string, batch: number): string {
  if (batch === 0) return indices;
  const { g } = scene;
  const rank = scene.dims(indices).length;
  const [zero, one] = [g.op('Squeeze', [g.ints([0])]), g.op('Squeeze', [g.ints([1])])];
  const tuples = g.op('Concat', [g.op('Shape', [indices], { start: 0, end: -1 }), g.ints([1])], { axis: 0 });
  const coordinates = Array.from({ length: batch }, (_, axis) => {
    const count = g.op('Squeeze', [g.op('Shape', [indices], { start: axis, end: axis + 1 })]);
    const shape = Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1));
    return g.op('Expand', [g.op('Reshape', [g.op('Range', [zero, count, one]), g.ints(shape)]), tuples]);
  });
  return g.op('Concat', [...coordinates, indices], { axis: -1 });
}
