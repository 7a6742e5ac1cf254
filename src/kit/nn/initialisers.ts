/** @file First values of parameters. */
import type { Stream } from '../../core/tensor/random.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';

/** The values of a tensor of these sizes, from its own random stream. */
export type Initialiser = (dims: readonly number[], random: Stream) => Float32Array;

/** Every element the same. */
export const filled =
  (value: number): Initialiser =>
  (dims) =>
    new Float32Array(sizeOf(dims)).fill(value);

/** Uniform in [-bound, bound). */
export const uniform =
  (bound: number): Initialiser =>
  (dims, random) =>
    Float32Array.from({ length: sizeOf(dims) }, () => bound * (2 * random.uniform() - 1));

/** Normal with mean 0. */
export const normal =
  (deviation: number): Initialiser =>
  (dims, random) =>
    Float32Array.from({ length: sizeOf(dims) }, () => deviation * random.normal());

/** Inputs and outputs of one element of the result, for weights [out, in, ...kernel]. */
const fans = (dims: readonly number[]): { in: number; out: number } => {
  const area = sizeOf(dims.slice(2));
  return { in: (dims[1] ?? 1) * area, out: (dims[0] ?? 1) * area };
};

/** Normal with variance 2 / fan, for layers before rectifiers (He et al. 2015, section 2.2). */
export const he =
  (fan: 'in' | 'out' = 'in'): Initialiser =>
  (dims, random) =>
    normal(Math.sqrt(2 / fans(dims)[fan]))(dims, random);

/** Uniform with variance 2 / (fan in + fan out) (Glorot and Bengio 2010, equation 16). */
export const glorot: Initialiser = (dims, random) => uniform(Math.sqrt(6 / (fans(dims).in + fans(dims).out)))(dims, random);
