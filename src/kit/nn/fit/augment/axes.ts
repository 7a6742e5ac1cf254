/** @file The axes of a sample by their letters, and the ways augmentations walk along them. */
import { sizeOf } from '../../../../core/tensor/tensor.ts';
import { type InputSpec, sampleAxis } from '../../../model/model.ts';

export interface Axis {
  readonly size: number;
  /** Elements between neighbours along it. */
  readonly stride: number;
}

/** The axis of a sample that the layout gives this letter; undefined where there is none. */
export function axisOf(spec: Pick<InputSpec, 'shape' | 'layout'>, letter: string): Axis | undefined {
  const axis = sampleAxis(spec, letter);
  return axis < 0 ? undefined : { size: spec.shape[axis]!, stride: sizeOf(spec.shape.slice(axis + 1)) };
}

/** Where every line, plane ... along these axes begins: the elements whose index is 0 in all of them. */
export function beginnings(spec: Pick<InputSpec, 'shape' | 'layout'>, letters: string): number[] {
  const axes = [...letters].map((letter) => axisOf(spec, letter)!);
  return Array.from({ length: sizeOf(spec.shape) }, (_, i) => i).filter((i) =>
    axes.every(({ size, stride }) => Math.floor(i / stride) % size === 0),
  );
}

/** Pictures, and films of them: rows and columns of a continuous or coded brightness. */
export const isPicture = (spec: InputSpec): boolean => axisOf(spec, 'H') !== undefined && axisOf(spec, 'W') !== undefined;

export const isSequence = (spec: InputSpec): boolean => (axisOf(spec, 'T')?.size ?? 1) > 1;

/** Whether values between others, and sums with noise, are values an input may have. */
export const isContinuous = (spec: InputSpec): boolean => spec.domain === 'continuous' && /^float/.test(spec.dtype);

/** What stands where a shift uncovers something. */
export const fills = ['edge', 'zero'] as const;

/** Uniform in -most .. most. */
export const between = (most: number, uniform: number): number => most * (2 * uniform - 1);

/**
 * Reads every element at another place of its own line along one axis: element i takes that of i - by. What lies outside is the nearest element of the
 * line ('edge') or 0 ('zero').
 */
export function shifted(values: Float32Array, spec: InputSpec, letter: string, by: number, fill: string): Float32Array {
  const { size, stride } = axisOf(spec, letter)!;
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const at = Math.floor(i / stride) % size;
    const from = at - by;
    const inside = Math.min(size - 1, Math.max(0, from));
    out[i] = fill === 'zero' && inside !== from ? 0 : values[i + (inside - at) * stride]!;
  }
  return out;
}
