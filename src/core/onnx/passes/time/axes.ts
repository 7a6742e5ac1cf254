/** @file Axes as products: where in a value the batch and the time steps are, through reshapes that fold them together. */
import type { KnownDim, ShapeEntry } from '../shapes.ts';

/** What an axis is made of, outermost first; an axis of size 1 is made of nothing. 'time' is as many as the value has positions in time. */
export type Factor = 'batch' | 'time' | number;
export type Axes = readonly (readonly Factor[])[];

/** The axes of a value without time; undefined where an axis depends on the batch in another way than being it. */
export function plainAxes({ dims, batchAxes = [] }: Pick<ShapeEntry, 'dims' | 'batchAxes'>): Axes | undefined {
  const axes = dims.map((d, axis): readonly Factor[] | undefined => {
    if (d === null) return batchAxes.includes(axis) ? ['batch'] : undefined;
    return d === 1 ? [] : [d];
  });
  return axes.every((axis) => axis !== undefined) ? axes : undefined;
}

/** Position of the axis that holds the time. */
export const timeAxisOf = (axes: Axes): number => axes.findIndex((axis) => axis.includes('time'));

/** Size of an axis for so many positions in time; null where it holds the batch. */
export const sizeOfAxis = (axis: readonly Factor[], positions: number): KnownDim =>
  axis.includes('batch') ? null : axis.reduce<number>((n, f) => n * (f === 'time' ? positions : (f as number)), 1);

/** Elements of one sample. */
export const elementsOf = (axes: Axes, positions: number): number =>
  axes.flat().reduce<number>((n, f) => n * (f === 'time' ? positions : f === 'batch' ? 1 : f), 1);

/** The same elements in an array of other sizes; undefined where that would cut through the batch or the time. */
export function regroup(axes: Axes, positions: number, dims: readonly KnownDim[]): Axes | undefined {
  const open = dims.indexOf(null);
  if (open !== dims.lastIndexOf(null)) return undefined;
  const rest = axes.flat();
  const made: (readonly Factor[])[] = dims.map(() => []);
  const fill = (axis: number, take: 'shift' | 'pop'): boolean => {
    const axisFactors: Factor[] = [];
    for (let need = dims[axis]!; need > 1; ) {
      const factor = rest[take]();
      if (factor === undefined || factor === 'batch') return false;
      const size = factor === 'time' ? positions : factor;
      let part: Factor = factor;
      if (need % size !== 0) {
        if (factor === 'time' || size % need !== 0) return false;
        part = need;
        rest[take === 'shift' ? 'unshift' : 'push'](size / need);
      }
      axisFactors[take === 'shift' ? 'push' : 'unshift'](part);
      need /= Math.min(size, need);
    }
    made[axis] = axisFactors;
    return true;
  };
  const before = open < 0 ? dims.length : open;
  for (let axis = 0; axis < before; axis++) if (!fill(axis, 'shift')) return undefined;
  for (let axis = dims.length - 1; axis > before; axis--) if (!fill(axis, 'pop')) return undefined;
  if (open >= 0) made[open] = rest;
  else if (rest.length > 0) return undefined;
  return made;
}
