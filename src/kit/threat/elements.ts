/** @file Values given once, per channel or per element, read by element index. */
import { UserError } from '../../core/errors.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { type InputSpec, sampleAxis } from '../model/model.ts';

export type PerElement = (i: number) => number;

/**
 * Reads `values` (one for all, one per channel, or one per element of spec.shape) by flat element index.
 * The channel axis is the letter C of the layout. Throws a UserError naming `field` when the count fits neither.
 */
export function perElement(spec: InputSpec, values: number | ArrayLike<number>, field: string): PerElement {
  if (typeof values === 'number') return () => values;
  if (values.length === 1) return () => values[0]!;
  if (values.length === sizeOf(spec.shape)) return (i) => values[i]!;
  const axis = sampleAxis(spec, 'C');
  const channels = spec.shape[axis];
  if (channels !== values.length) {
    const has = channels === undefined ? 'no channel axis' : `${channels} channels`;
    throw new UserError(
      `${field} has ${values.length} values, but the input [${spec.shape}] (layout ${spec.layout}) has ${has}`,
      `give one number, one per channel, or ${sizeOf(spec.shape)} (one per element)`,
    );
  }
  const inner = sizeOf(spec.shape.slice(axis + 1));
  return (i) => values[Math.floor(i / inner) % channels]!;
}

export interface Box {
  readonly lower: PerElement;
  readonly upper: PerElement;
}

/** The bounds as the float32 numbers the graph sees; infinite where the input is unbounded. */
export function boxOf(spec: InputSpec): Box {
  if (spec.bounds === 'unbounded') return { lower: () => Number.NEGATIVE_INFINITY, upper: () => Number.POSITIVE_INFINITY };
  const rounded = (values: number | readonly number[]) =>
    typeof values === 'number' ? Math.fround(values) : values.map(Math.fround);
  return {
    lower: perElement(spec, rounded(spec.bounds.lower), 'the lower bound'),
    upper: perElement(spec, rounded(spec.bounds.upper), 'the upper bound'),
  };
}

/** The bounds of every element (exact in float32), laid out once per input and shared by all its samples: what inner loops read. */
export interface BoxValues {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

const boxes = new WeakMap<InputSpec, BoxValues>();

/** boxOf, element by element. */
export function boxValues(spec: InputSpec): BoxValues {
  const known = boxes.get(spec);
  if (known !== undefined) return known;
  const { lower, upper } = boxOf(spec);
  const made = { lower: Float32Array.from(laidOut(spec, lower)), upper: Float32Array.from(laidOut(spec, upper)) };
  boxes.set(spec, made);
  return made;
}

/** `values` of every element of spec.shape. */
export function laidOut(spec: InputSpec, values: PerElement): Float64Array {
  const out = new Float64Array(sizeOf(spec.shape));
  for (let i = 0; i < out.length; i++) out[i] = values(i);
  return out;
}
