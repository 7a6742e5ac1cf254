/** @file The space of flips: a joint space in which every element of a binary input has its own value or the other one, and nothing in between. */
import { UserError } from '../../../core/errors.ts';
import type { Sample } from '../../../kit/model/model.ts';
import { oneOf } from '../../../kit/option-checks.ts';
import { gridOf, isBinary } from '../../../kit/threat/grid.ts';
import { balls } from '../../../kit/threat/lp.ts';
import type { Threat } from '../../../kit/threat/threat.ts';
import { unitsOf } from '../widths.ts';
import { type Joint, jointOf } from './joint.ts';

/** Which elements of binary inputs may flip: all, those at the lower value (events are inserted), or those at the upper one (events are deleted). */
export type Allowed = 'both' | 'insert' | 'delete';

export const checkAllowed = (allowed: string): string | undefined => oneOf(['both', 'insert', 'delete'], 'flips', allowed);

export const aboutAllowed = 'both, or insert (from the lower value to the upper one only), or delete (the other way only)';

/**
 * Of a binary input u is rounded before the model sees it: an element with more than half its flip is flipped, any other is as it was. Gradients are
 * those at the rounded point, as if nothing had been rounded (straight-through), and sizes are those of the rounded change.
 */
export interface Flipping extends Joint {
  /** The change that flips an element of a binary input; 0 where it may not, and in all inputs that hold more than two values. */
  readonly flip: Float32Array;
}

/** The joint space of one sample whose binary inputs flip; inputs that hold more than two values are what they are in jointOf. */
export function flippingOf(sample: Sample, threats: Readonly<Record<string, Threat>>, allowed: Allowed = 'both'): Flipping {
  const space = jointOf(sample, threats);
  const { n, parts } = space;
  const unit = unitsOf(space);
  const flip = new Float32Array(n);
  const other = new Float32Array(n);
  const [low, high] = [space.low.slice(), space.high.slice()];
  const binary = parts.filter(({ threat }) => isBinary(threat.input));
  for (const { x, from, to, threat } of binary) {
    const grid = gridOf(threat.input)!;
    for (let i = from; i < to; i++) {
      const at = grid.nearest(i - from, x[i - from]!);
      const may = unit[i] !== 0 && (allowed === 'both' || (allowed === 'insert' ? at === 0 : at === 1));
      other[i] = grid.value(i - from, 1 - at);
      flip[i] = may ? (other[i]! - x[i - from]!) / unit[i]! : 0;
      low[i] = Math.min(0, flip[i]!);
      high[i] = Math.max(0, flip[i]!);
    }
  }
  const isBinaryAt = new Uint8Array(n);
  for (const { from, to } of binary) isBinaryAt.fill(1, from, to);
  const flipped = (u: Float32Array, i: number): boolean => u[i]! * flip[i]! > 0.5 * flip[i]! * flip[i]!;
  return {
    ...space,
    low,
    high,
    flip,
    write(u, into) {
      if (binary.length < parts.length) space.write(u, into);
      for (const { name, x, from, to } of binary) {
        const point = into[name]!;
        point.set(x);
        eachChange(u.subarray(from, to), (i) => {
          if (flipped(u, from + i)) point[i] = other[from + i]!;
        });
      }
    },
    pull(gradient) {
      const g = space.pull(gradient);
      if (allowed === 'both') return g;
      const kept = g.slice();
      for (const { from, to } of binary) for (let i = from; i < to; i++) if (flip[i] === 0) kept[i] = 0;
      return kept;
    },
    size(u) {
      // zeros add nothing to a norm
      const changes: number[] = [];
      eachChange(u, (i) => changes.push(isBinaryAt[i] === 0 ? u[i]! : flipped(u, i) ? flip[i]! : 0));
      return balls[space.norm].size(Float64Array.from(changes));
    },
    clip: (u) => u.map((value, i) => Math.min(high[i]!, Math.max(low[i]!, value))),
  };
}

/**
 * flippingOf for attacks that do nothing but flip: inputs that hold more than two values are left as they are. Throws a UserError where there are no others.
 */
export const flipsOf =
  (allowed: string) =>
  (sample: Sample, threats: Readonly<Record<string, Threat>>): Flipping => {
    if (!Object.values(threats).some(({ input }) => isBinary(input)))
      throw new UserError(
        `an attack that flips values was given ${Object.keys(threats)
          .map((name) => `input "${name}"`)
          .join(' and ')}, of more than two values`,
        'declare an input with domain: binary, if it holds two values only, or choose another attack',
      );
    return flippingOf(sample, threats, allowed as Allowed);
  };

/** Visits the elements that are not zero, ascending. Most are, so two are looked at together: as one number their bits are zero where both are. */
function eachChange(u: Float32Array, visit: (i: number) => void): void {
  const pairs = u.byteOffset % 8 === 0 ? new Float64Array(u.buffer, u.byteOffset, u.length >> 1) : new Float64Array(0);
  for (let k = 0; k < pairs.length; k++) {
    if (pairs[k] === 0) continue;
    if (u[2 * k] !== 0) visit(2 * k);
    if (u[2 * k + 1] !== 0) visit(2 * k + 1);
  }
  for (let i = 2 * pairs.length; i < u.length; i++) if (u[i] !== 0) visit(i);
}

/** The elements that may flip. */
export function flippable({ flip }: Flipping): Int32Array {
  let count = 0;
  for (let i = 0; i < flip.length; i++) count += +(flip[i] !== 0);
  const all = new Int32Array(count);
  for (let i = 0, k = 0; i < flip.length; i++) if (flip[i] !== 0) all[k++] = i;
  return all;
}
