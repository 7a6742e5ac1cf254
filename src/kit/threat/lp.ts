/** @file A threat made of a norm ball, the model's bounds, a mask and a scale. Values travel as float32, arithmetic is float64. */
import { UserError } from '../../core/errors.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import type { InputSpec } from '../model/model.ts';
import type { Ball } from './ball.ts';
import { boxValues, laidOut, perElement } from './elements.ts';
import { l0 } from './l0.ts';
import { l1 } from './l1.ts';
import { l2 } from './l2.ts';
import { linf } from './linf.ts';
import type { Norm, Threat, ThreatOptions } from './threat.ts';

/** The ball of each norm, for sizes in float64. */
export const balls: Readonly<Record<Norm, Ball>> = { linf, l2, l1, l0 };

/**
 * The budget |delta / scale| <= eps around one sample of `spec.shape`, where the mask is 1 and inside the bounds.
 * Projection and steepest ascent are those of the scaled coordinates delta / scale.
 * An element whose original lies outside the bounds may stay where it is, but move no further out.
 * Throws a UserError for a negative or non-numeric eps, a scale that is not positive, a mask that is not 0 or 1, or sizes that do not fit.
 */
export function lpThreat(spec: InputSpec, options: ThreatOptions): Threat {
  const { norm, eps, mask } = options;
  const n = sizeOf(spec.shape);
  checkOptions(options, n);
  const ball = balls[norm];
  const { lower, upper } = boxValues(spec);
  const scale = options.scale === undefined ? undefined : laidOut(spec, perElement(spec, options.scale, 'scale'));
  const scaleOf = (i: number): number => (scale === undefined ? 1 : scale[i]!);
  const reach = (i: number): number => {
    const range = upper[i]! - lower[i]!;
    return Number.isFinite(range) ? range / scaleOf(i) : 1;
  };
  const u = scratchOf(spec, n);
  /** The values in float64, times the scale or its inverse, zero outside the mask. */
  const widened = (values: Float32Array, scaled: 'times' | 'over', within?: Float32Array): Float64Array => {
    checkValues(values, n);
    // one array serves all calls: fresh ones of this size cost more in page faults than the arithmetic
    u.set(values);
    if (scale !== undefined) for (let i = 0; i < n; i++) u[i]! *= scaled === 'times' ? scale[i]! : 1 / scale[i]!;
    if (within !== undefined) for (let i = 0; i < n; i++) if (within[i] !== 1) u[i] = 0;
    return u;
  };
  const fromScaled = (u: Float64Array): Float32Array => {
    const delta = new Float32Array(u);
    if (scale !== undefined) for (let i = 0; i < n; i++) delta[i] = u[i]! * scale[i]!;
    return delta;
  };
  let reachable: { of: Float32Array; low: Float32Array; high: Float32Array } | undefined;
  const ends: Threat['ends'] = (x) => {
    if (reachable?.of !== x) {
      const low = new Float32Array(n);
      const high = new Float32Array(n);
      for (let i = 0; i < n; i++) {
        if (mask?.[i] === 0) continue;
        const most = Math.fround(norm === 'linf' ? eps * scaleOf(i) : largestFloat);
        low[i] = Math.fround(x[i]! - most) < lower[i]! ? insideBox(x[i]!, -most, lower[i]!, upper[i]!) : -most;
        high[i] = Math.fround(x[i]! + most) > upper[i]! ? insideBox(x[i]!, most, lower[i]!, upper[i]!) : most;
      }
      reachable = { of: x, low, high };
    }
    return reachable;
  };
  /** The plain linf step and projection in one walk. Comparisons as 0 and 1, not branches: those are mispredicted for every other element. */
  const advanceLinf: Threat['advance'] = (x, delta, gradient, alpha) => {
    const { low, high } = ends(x);
    const result = new Float32Array(n);
    const step = Math.fround(alpha);
    let suspect = gradient.length === n ? 0 : Number.NaN;
    for (let i = 0; i < n; i++) {
      const slope = gradient[i]!;
      suspect += slope * 0;
      const moved = Math.fround(delta[i]! + step * (+(slope > 0) - +(slope < 0)));
      const least = low[i]!;
      const most = high[i]!;
      const over = +(moved > most);
      const under = +(moved < least);
      // not moved - (moved - most): an end of 1e-13 would be lost in the rounding of that, and x + delta leave the bounds; subtracted from 0, so that -0 stays
      result[i] = moved * (1 - over - under) - (0 - most * over - least * under);
    }
    // infinite slopes are fine, NaN is not
    if (suspect !== 0) checkValues(gradient, n);
    return result;
  };
  const threat: Threat = {
    norm,
    eps,
    input: spec,
    box: { lower, upper },
    ...(scale === undefined ? {} : { scale }),
    ...(mask === undefined ? {} : { mask }),
    at: (other) => lpThreat(spec, { ...options, eps: other }),
    size: (delta) => ball.size(widened(delta, 'over')),
    project(x, delta) {
      const near = ball.project(
        widened(delta, 'over', mask),
        eps,
        (i, sign) => (sign > 0 ? upper[i]! - x[i]! : x[i]! - lower[i]!) / scaleOf(i),
      );
      const result = fromScaled(near);
      for (let i = 0; i < n; i++) {
        const moved = Math.fround(x[i]! + result[i]!);
        if (!(moved >= lower[i]! && moved <= upper[i]!))
          result[i] = insideBox(x[i]!, near[i]! * scaleOf(i), lower[i]!, upper[i]!);
      }
      return result;
    },
    step: (gradient, alpha) => fromScaled(ball.ascent(widened(gradient, 'times', mask), alpha, reach)),
    advance(x, delta, gradient, alpha) {
      if (norm === 'linf' && scale === undefined && mask === undefined) return advanceLinf(x, delta, gradient, alpha);
      const moved = threat.step(gradient, alpha);
      for (let i = 0; i < n; i++) moved[i]! += delta[i]!;
      return threat.project(x, moved);
    },
    ends,
    random(stream) {
      if (mask === undefined) return fromScaled(ball.draw(n, eps, stream, reach));
      const free: number[] = [];
      for (let i = 0; i < n; i++) if (mask[i] === 1) free.push(i);
      const drawn = ball.draw(free.length, eps, stream, (j) => reach(free[j]!));
      const u = new Float64Array(n);
      for (let j = 0; j < free.length; j++) u[free[j]!] = drawn[j]!;
      return fromScaled(u);
    },
  };
  return threat;
}

const largestFloat = 3.4028234663852886e38;

const scratch = new WeakMap<InputSpec, Float64Array>();

/** Working memory of the threats on one input; nothing in it outlives a call. */
function scratchOf(spec: InputSpec, n: number): Float64Array {
  const known = scratch.get(spec);
  if (known !== undefined) return known;
  const made = new Float64Array(n);
  scratch.set(spec, made);
  return made;
}

function checkValues(values: Float32Array, n: number): void {
  if (values.length !== n) throw new Error(`a threat on ${n} elements was given ${values.length}`);
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(values[i])) throw new Error('a threat was given NaN: gradients are checked before they are used');
  }
}

/** delta as a float32 for which the float32 sum x + delta lies within the bounds. */
function insideBox(x: number, delta: number, lower: number, upper: number): number {
  const moved = x + delta;
  const low = Math.min(lower, x);
  const high = Math.max(upper, x);
  let d = Math.fround(moved > high ? high - x : moved < low ? low - x : delta);
  while (Math.fround(x + d) > high || Math.fround(x + d) < low) d = towardsZero(d);
  return d;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The next float32 nearer to zero. */
function towardsZero(value: number): number {
  float[0] = value;
  if (value !== 0) bits[0]!--;
  return float[0]!;
}

function checkOptions({ norm, eps, scale, mask }: ThreatOptions, n: number): void {
  if (!(norm in balls)) throw new UserError(`norm is "${norm}"`, `one of: ${Object.keys(balls).join(', ')}`);
  if (!(eps >= 0) || eps === Number.POSITIVE_INFINITY)
    throw new UserError(`eps is ${eps}`, 'a budget is a finite number, zero or larger');
  if (scale?.some((value) => !(value > 0 && Number.isFinite(value))))
    throw new UserError('scale holds a value that is not a positive number', 'use a mask for elements that must not change');
  if (mask !== undefined && mask.length !== n)
    throw new UserError(`mask has ${mask.length} values, the input has ${n}`, 'give 0 or 1 for every element of the input');
  if (mask?.some((value) => value !== 0 && value !== 1))
    throw new UserError('mask holds values other than 0 and 1', 'a mask says 1 where the input may change, 0 elsewhere');
}
