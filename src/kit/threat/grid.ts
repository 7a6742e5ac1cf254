/** @file The values a stored input can hold: value(i, k) = origin + k span / parts for the integers k in between. */
import { UserError } from '../../core/errors.ts';
import type { InputSpec } from '../model/model.ts';
import { boxOf, type PerElement } from './elements.ts';

export interface Grid {
  /** The float32 of grid point k at element i: the one formula behind saving and reading. */
  value(i: number, k: number): number;
  /** Where a value lies on the grid, in steps; whole numbers come out whole although float32 rounds. */
  position(i: number, value: number): number;
  /** The grid point nearest to a value. */
  nearest(i: number, value: number): number;
  /** Size of a step at element i, in the input's units. */
  step: PerElement;
}

/** Whether an input holds two values only. */
export const isBinary = ({ domain, storage }: Pick<InputSpec, 'domain' | 'storage'>): boolean =>
  domain === 'binary' || storage === 'binary';

/**
 * uint8: 256 points from bound to bound. pcm16: sixteen bits, full scale the largest |bound| (1 without bounds). binary: the two bounds (0 and 1 without).
 * A domain of `levels` sets the number of points. undefined where the storage keeps float32 as it is.
 * Throws a UserError where the storage needs bounds and the input has none.
 */
export function gridOf(spec: InputSpec): Grid | undefined {
  const { domain, storage } = spec;
  if (isBinary(spec)) return between(spec, 1);
  if (typeof domain === 'object') return between(spec, domain.levels - 1);
  if (storage === 'uint8') return between(spec, 255);
  if (storage === 'pcm16') return sixteenBits(spec);
  return undefined;
}

function between(spec: InputSpec, parts: number): Grid {
  if (spec.bounds === 'unbounded') {
    if (parts === 1) return grid({ origin: () => 0, span: () => 1, parts, first: () => 0, last: () => 1 });
    throw new UserError(
      `an input without bounds cannot be stored as ${spec.storage}`,
      "give the input bounds, or storage 'float32'",
    );
  }
  const { lower, upper } = boxOf(spec);
  return grid({ origin: lower, span: (i) => upper(i) - lower(i), parts, first: () => 0, last: () => parts });
}

function sixteenBits(spec: InputSpec): Grid {
  const { lower, upper } = boxOf(spec);
  const bounded = spec.bounds !== 'unbounded';
  const span: PerElement = (i) => (bounded ? Math.max(Math.abs(lower(i)), Math.abs(upper(i))) : 1);
  return grid({
    origin: () => 0,
    span,
    parts: 32768,
    first: (i) => (bounded ? Math.max(-32768, Math.ceil((lower(i) * 32768) / span(i))) : -32768),
    last: (i) => (bounded ? Math.min(32767, Math.floor((upper(i) * 32768) / span(i))) : 32767),
  });
}

interface Points {
  readonly origin: PerElement;
  readonly span: PerElement;
  readonly parts: number;
  readonly first: PerElement;
  readonly last: PerElement;
}

function grid({ origin, span, parts, first, last }: Points): Grid {
  const position = (i: number, value: number): number => {
    const exact = ((value - origin(i)) * parts) / span(i);
    const whole = Math.round(exact);
    const rounding = (2 ** -22 * (Math.abs(origin(i)) + Math.abs(span(i))) * parts) / span(i);
    return Math.abs(exact - whole) <= rounding ? whole : exact;
  };
  return {
    value: (i, k) => Math.fround(origin(i) + (k * span(i)) / parts),
    position,
    nearest: (i, value) => Math.min(last(i), Math.max(first(i), Math.round(position(i, value)))),
    step: (i) => span(i) / parts,
  };
}
