/** @file Sizes as rules write them: numbers where they are known, read at run time where they depend on the batch. */
import type { Node } from '../../onnx/graph.ts';
import type { Scene } from '../rule.ts';

/** A size: a number, or that of one axis of a value, read at run time. */
export type Size = number | { readonly of: string; readonly axis: number };

/** The sizes of a value. */
export const sizesOf = (scene: Scene, name: string): Size[] => scene.dims(name).map((d, axis) => d ?? { of: name, axis });

/** An int64 list of the given sizes: a constant when all are numbers, otherwise put together at run time. */
export function sizeList({ g }: Scene, sizes: readonly Size[]): string {
  if (sizes.every((s) => typeof s === 'number')) return g.ints(sizes);
  const parts = sizes.map((s) =>
    typeof s === 'number' ? g.ints([s]) : g.op('Shape', [s.of], { start: s.axis, end: s.axis + 1 }),
  );
  return parts.length === 1 ? parts[0]! : g.op('Concat', parts, { axis: 0 });
}

/** `value` reshaped to the given sizes; a single run-time size costs nothing. */
export function reshapeTo(scene: Scene, value: string, sizes: readonly Size[]): string {
  const free = sizes.filter((s) => typeof s !== 'number').length;
  const target =
    free === 1 && !sizes.includes(0) ? scene.g.ints(sizes.map((s) => (typeof s === 'number' ? s : -1))) : sizeList(scene, sizes);
  return scene.g.op('Reshape', [value, target]);
}

/** Zeros of the shape and dtype of `like`. */
export const zerosLike = (scene: Scene, like: string): string =>
  scene.g.op('Expand', [scene.number(0, scene.dtype(like)), scene.shape(like)]);

/** `cotangent`, whose shape is `from` (a shape `to` broadcasts to), summed to the shape of `to`. */
export function sumTo(scene: Scene, cotangent: string, from: readonly (number | null)[], to: string): string {
  const target = scene.dims(to);
  const lead = from.length - target.length;
  const axes = from.map((_, i) => i).filter((i) => i < lead || (target[i - lead] === 1 && from[i] !== 1));
  if (axes.length === 0) return cotangent;
  const sum = scene.g.op('ReduceSum', [cotangent, scene.g.ints(axes)], { keepdims: lead === 0 ? 1 : 0 });
  return lead === 0 || axes.length === lead ? sum : scene.reshapeLike(sum, to);
}

/** The axis `axis` of a value of the given rank, counted from the front. */
export const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The name of input `index` of a node; throws when it is left out. */
export function inputOf(node: Node, index: number): string {
  const name = node.inputs[index];
  if (name === undefined || name === '') throw new Error(`${node.op} "${node.name}" lacks input ${index}`);
  return name;
}
