/** @file The transpose of slicing: dy is spread out along some axes, with zeros between and around. Built on Pad, whose negative pads crop. */
import type { Scene } from '../rule.ts';
import { reshapeTo, type Size } from './sizes.ts';

/** One axis: its elements laid out `step` apart, then padded or cropped at both ends. An axis whose step is not 1 must have a known size. */
export interface Spread {
  readonly axis: number;
  readonly step: number;
  /** Zeros before the first element; negative: elements dropped. */
  readonly before: number;
  /** Zeros after the last element; negative: elements dropped. */
  readonly after: number;
}

/** `value`, whose sizes are `sizes`, spread out along the given axes. */
export function spread(scene: Scene, value: string, sizes: readonly Size[], axes: readonly Spread[]): string {
  const stuffed = axes.filter((a) => a.step > 1);
  const wide = stuffed.length === 0 ? value : stuff(scene, value, sizes, stuffed);
  // stuffing leaves step - 1 zeros after the last element as well
  const after = axes.map((a) => a.after - (a.step - 1));
  return pad(
    scene,
    wide,
    sizes.length,
    axes.map((a, i) => ({ axis: a.axis, before: a.before, after: after[i]! })),
  );
}

/**
 * Zeros around (or, where negative, elements dropped from the ends of) the given axes of a value of that rank. Every axis is written out: the runtime's
 * optimiser moves a Transpose past a Pad as if its `axes` input were absent (onnxruntime 1.30).
 */
export function pad(
  { g }: Scene,
  value: string,
  rank: number,
  axes: readonly { readonly axis: number; readonly before: number; readonly after: number }[],
): string {
  const used = axes.filter((a) => a.before !== 0 || a.after !== 0);
  if (used.length === 0) return value;
  const end = (side: 'before' | 'after') => Array.from({ length: rank }, (_, i) => used.find((a) => a.axis === i)?.[side] ?? 0);
  return g.op('Pad', [value, g.ints([...end('before'), ...end('after')])]);
}

/** Each axis is split into (count, 1), the new axis padded to (count, step), and the two merged again. */
function stuff(scene: Scene, value: string, sizes: readonly Size[], axes: readonly Spread[]): string {
  const { g } = scene;
  const sorted = [...axes].sort((a, b) => a.axis - b.axis);
  const added = sorted.map((a, i) => a.axis + 1 + i);
  const split = g.op('Unsqueeze', [value, g.ints(added)]);
  const padded = pad(
    scene,
    split,
    sizes.length + added.length,
    sorted.map((a, i) => ({ axis: added[i]!, before: 0, after: a.step - 1 })),
  );
  const merged = sizes.map((size, axis): Size => {
    const step = axes.find((a) => a.axis === axis)?.step ?? 1;
    if (step === 1) return size;
    if (typeof size !== 'number') throw new Error('an axis to be stuffed with zeros must have a known size');
    return size * step;
  });
  return reshapeTo(scene, padded, merged);
}
