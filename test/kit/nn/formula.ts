/** @file Numbers both sides make by themselves: weights, data and probes from a hash of the name and the place, as in test/oracles/nn/formula.py. */
import { f32, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

const probeCount = 16;

/** The finaliser of MurmurHash3. */
function mix(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a of the name. */
const salt = (name: string): number => [...name].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 0;

/** Multiples of 2^-24 in [0, 1). */
export function uniform(name: string, dims: readonly number[]): Tensor<'float32'> {
  const start = salt(name);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => (mix((i + start) | 0) >>> 8) / 2 ** 24),
    dims,
  );
}

/** Uniform around 0 within the largest power of two whose square times the fan-in is at most 6; scales of normalisations around 1. */
export function weight(name: string, dims: readonly number[]): Tensor<'float32'> {
  const u = uniform(name, dims).data.map((v) => v - 0.5);
  if (dims.length < 2) return f32(name.endsWith('weight') ? u.map((v) => 1 + v / 2) : u.map((v) => v / 4), dims);
  const recurrent = dims.length === 3 && /(^|\.)[WR]$/.test(name);
  const fan = recurrent ? dims[2]! : sizeOf(dims.slice(1));
  let scale = 1;
  while (scale * scale * fan > 6) scale /= 2;
  return f32(
    u.map((v) => 2 * scale * v),
    dims,
  );
}

/** Sums of the values with signs from the bits of a hash of the place. */
export function probe(values: Float32Array): number[] {
  const sums = new Array<number>(probeCount).fill(0);
  values.forEach((v, i) => {
    const h = mix(i);
    for (let j = 0; j < probeCount; j++) sums[j]! += (h >>> j) & 1 ? v : -v;
  });
  return sums;
}

export interface Probed {
  readonly norm: number;
  readonly probes: readonly number[];
}

/**
 * The relative L2 distance of all tensors together from those the probes were taken of: a sum with random signs has the squared distance as the mean of
 * its square, so the mean over 16 sums of each of many tensors is within some 10 % of it.
 */
export function probedDistance(
  tensors: Readonly<Record<string, Tensor<'float32'>>>,
  expected: Readonly<Record<string, Probed>>,
): number {
  let [error, total] = [0, 0];
  for (const [name, { norm, probes }] of Object.entries(expected)) {
    const found = probe(tensors[name]!.data);
    error += probes.reduce((sum, p, j) => sum + (p - found[j]!) ** 2, 0) / probeCount;
    total += norm ** 2;
  }
  return Math.sqrt(error / total);
}
