/** @file The space of a minimum-norm attack: all attacked inputs as one vector in which one plain norm is to be made small. */
import type { Sample } from '../../../kit/model/model.ts';
import { balls } from '../../../kit/threat/lp.ts';
import type { Norm, Threat } from '../../../kit/threat/threat.ts';
import { joined, partsOf, roomOf, type Space } from './space.ts';

/**
 * Changes u in units of the threat's scale: delta = unit u. With several inputs a unit is also their eps over the first one's, so that the budgets
 * weigh the inputs against each other, and sizes read as the first input's. Scale and mask are dealt with here: an attack sees a box and a norm.
 */
export interface Joint extends Space {
  readonly norm: Norm;
  /** The largest budget asked for, in the units of u: examples beyond it are worth having, but do not count as successes. */
  readonly eps: number;
  /** The nearest point of the box. */
  clip(u: Float32Array): Float32Array;
}

/** The joint space of one sample. Throws where inputs have different norms: the caller refuses that before it runs. */
export function jointOf(sample: Sample, threats: Readonly<Record<string, Threat>>): Joint {
  const parts = partsOf(sample, threats);
  const { norm, eps } = parts[0]!.threat;
  if (parts.some(({ threat }) => threat.norm !== norm)) throw new Error('a smallest change over several inputs needs one norm');
  const n = parts.at(-1)!.to;
  const plain = parts.length === 1 && parts[0]!.threat.scale === undefined;
  const unit = new Float32Array(plain ? 0 : n);
  if (!plain) {
    for (const { from, to, threat } of parts) {
      const weight = eps === 0 ? 1 : threat.eps / eps;
      for (let i = from; i < to; i++) unit[i] = weight * (threat.scale?.[i - from] ?? 1);
    }
  }
  const { low, high } = roomOf(parts, ({ from }, i) => (plain ? 1 : unit[from + i]!));
  const wide = new Float64Array(n);
  return {
    norm,
    eps,
    n,
    parts,
    low,
    high,
    write(u, into) {
      for (const { name, from, x, threat } of parts) {
        const point = into[name]!;
        const { lower, upper } = threat.box;
        for (let i = 0; i < x.length; i++) {
          const x0 = x[i]!;
          const change = u[from + i]!;
          const moved = threat.mask?.[i] === 0 ? x0 : Math.fround(x0 + (plain ? change : unit[from + i]! * change));
          const [least, most] = [Math.min(lower[i]!, x0), Math.max(upper[i]!, x0)];
          point[i] = moved < least ? least : moved > most ? most : moved;
        }
      }
    },
    pull(gradient) {
      const g = joined(parts, gradient);
      return plain ? g : g.map((value, i) => value * unit[i]!);
    },
    size(u) {
      wide.set(u);
      return balls[norm].size(wide);
    },
    clip: (u) => u.map((value, i) => Math.min(high[i]!, Math.max(low[i]!, value))),
  };
}
