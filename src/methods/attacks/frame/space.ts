/** @file A sample's attacked inputs as one flat vector of changes, so that an attack is written once for any rank and any number of inputs. */
import type { Inputs, Sample } from '../../../kit/model/model.ts';
import type { Threat } from '../../../kit/threat/threat.ts';

/** One attacked input's stretch of the flat vector. */
export interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** The original. */
  readonly x: Float32Array;
  readonly threat: Threat;
}

/** Changes u of one sample, all attacked inputs one after the other. The original is u = 0. */
export interface Space {
  /** Elements of u. */
  readonly n: number;
  readonly parts: readonly Part[];
  /** How far each element may go inside mask and bounds (the budget is another matter): low <= 0 <= high, 0 where the mask forbids, infinite without bounds. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Writes the model's input at u, one array per attacked input. A joint space stays inside mask and bounds whatever u is; in a product u is projected before. */
  write(u: Float32Array, into: Readonly<Record<string, Float32Array>>): void;
  /** dL/du from the gradients by input; zero where the mask forbids. */
  pull(gradient: Inputs): Float32Array;
  /** The size that 'smallest' keeps by. */
  size(u: Float32Array): number;
}

/** The stretches of a sample's attacked inputs, in the order the threats name them. */
export function partsOf(sample: Sample, threats: Readonly<Record<string, Threat>>): Part[] {
  let from = 0;
  return Object.entries(threats).map(([name, threat]) => {
    const x = sample.inputs[name]!;
    const part = { name, from, to: from + x.length, x, threat };
    from = part.to;
    return part;
  });
}

/** The gradients one after the other, zero where the mask forbids: a copy only where there is more than one input or a mask. */
export function joined(parts: readonly Part[], gradient: Inputs): Float32Array {
  const [only] = parts;
  if (parts.length === 1 && only!.threat.mask === undefined) return gradient[only!.name]!;
  const all = new Float32Array(parts.at(-1)!.to);
  for (const { name, from, x, threat } of parts) {
    const g = gradient[name]!;
    const { mask } = threat;
    for (let i = 0; i < x.length; i++) all[from + i] = mask?.[i] === 0 ? 0 : g[i]!;
  }
  return all;
}

/** The room of every element, in units of `unit` (one per element); none where the unit is 0. */
export function roomOf(
  parts: readonly Part[],
  unit: (part: Part, i: number) => number,
): { low: Float32Array; high: Float32Array } {
  const n = parts.at(-1)?.to ?? 0;
  const low = new Float32Array(n);
  const high = new Float32Array(n);
  for (const part of parts) {
    const { x, from, threat } = part;
    const { lower, upper } = threat.box;
    for (let i = 0; i < x.length; i++) {
      if (threat.mask?.[i] === 0) continue;
      const s = unit(part, i);
      // 0 / 0 and an infinite room times 0 are NaN
      if (s === 0) continue;
      low[from + i] = Math.min(0, (lower[i]! - x[i]!) / s);
      high[from + i] = Math.max(0, (upper[i]! - x[i]!) / s);
    }
  }
  return { low, high };
}

/** Elements that mask and bounds let move: the dimension an attack works in. */
export function freedomOf({ low, high }: Pick<Space, 'low' | 'high'>): number {
  let free = 0;
  for (let i = 0; i < low.length; i++) free += +(low[i]! < high[i]!);
  return free;
}
