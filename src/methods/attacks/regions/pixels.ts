/** @file A few pixels of an input, their places and values, as genes in [0, 1). */
import { isBinary } from '../../../kit/threat/grid.ts';
import type { Part } from '../frame/space.ts';
import { endsOf } from './ends.ts';
import { fieldOf, sums, whole } from './field.ts';

export interface Pixels {
  /** How many pixels change at most; 0 where eps does not pay for a single element. */
  readonly count: number;
  /** Elements of one pixel: eps pays for them. */
  readonly elements: number;
  /** A pixel has a gene for its place along every axis, and one per element. */
  readonly genes: number;
  /** Writes the changes into u, which is zero; a later pixel at the same place overrides an earlier one. */
  write(genes: Float64Array, u: Float32Array): void;
}

/** The pixels that an l0 budget pays for, at most `most`: all channels at a place, or single elements where it does not pay for that. */
export function pixelsOf(part: Part, most: number): Pixels {
  const { x, from, threat } = part;
  const { extents, members, channels } = fieldOf(threat.input);
  const elements = Math.floor(threat.eps);
  const affordable = channels.reduce((product, { size }) => product * size, 1) <= elements;
  const axes = [...extents.flat(), ...members, ...(affordable ? [] : channels)];
  const values = affordable ? sums(channels.map(whole)) : Int32Array.of(0);
  const { low, high } = rangesOf(part);
  const binary = isBinary(threat.input);
  const each = axes.length + values.length;
  const count = Math.min(most, Math.floor(elements / values.length), x.length / values.length);
  return {
    count,
    elements: values.length,
    genes: count * each,
    write(genes, u) {
      for (let g = 0; g < genes.length; g += each) {
        const place = axes.reduce((sum, { size, stride }, k) => sum + Math.floor(genes[g + k]! * size) * stride, 0);
        for (let v = 0; v < values.length; v++) {
          const i = place + values[v]!;
          const gene = genes[g + axes.length + v]!;
          u[from + i] = binary ? (gene < 0.5 ? low[i]! : high[i]!) : low[i]! + gene * (high[i]! - low[i]!);
        }
      }
    },
  };
}

/** What every element may change by: to anywhere in the bounds, without bounds to anywhere between the least and the largest value of the sample. */
function rangesOf(part: Part): { low: Float32Array; high: Float32Array } {
  const { x, threat } = part;
  const { lower, upper } = threat.box;
  const { low, high } = endsOf(part);
  if (isBinary(threat.input)) return { low, high };
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < x.length; i++) {
    least = Math.min(least, x[i]!);
    most = Math.max(most, x[i]!);
  }
  const margin = least === most ? 1 : 0;
  for (let i = 0; i < x.length; i++) {
    if (lower[i] === Number.NEGATIVE_INFINITY && low[i] !== 0) low[i] = least - margin - x[i]!;
    if (upper[i] === Number.POSITIVE_INFINITY && high[i] !== 0) high[i] = most + margin - x[i]!;
  }
  return { low, high };
}
