/** @file First values of parameters. */
import type { Stream } from '../../core/tensor/random.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';

/** The values of a tensor of these sizes, from its own random stream. */
export type Initialiser = (dims: readonly number[], random: Stream) => Float32Array;

/** One number after the other; a loop, since millions are drawn and `Float32Array.from` takes up to twice as long. */
function drawn(dims: readonly number[], next: () => number): Float32Array {
  const values = new Float32Array(sizeOf(dims));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

/** Every element the same. */
export const filled =
  (value: number): Initialiser =>
  (dims) =>
    new Float32Array(sizeOf(dims)).fill(value);

/** Uniform in [-bound, bound). */
export const uniform =
  (bound: number): Initialiser =>
  (dims, random) =>
    drawn(dims, () => bound * (2 * random.uniform() - 1));

/** Normal with mean 0. */
export const normal =
  (deviation: number): Initialiser =>
  (dims, random) =>
    drawn(dims, () => deviation * random.normal());

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

/**
 * Uniform in +-1 / sqrt(fan in): what PyTorch gives the weights of its linear and convolutional layers, kaiming_uniform with a = sqrt 5. Their biases are
 * `uniform(1 / sqrt(fan in of the weights))`.
 */
export const fanInUniform: Initialiser = (dims, random) => uniform(1 / Math.sqrt(fans(dims).in))(dims, random);

/** Normal of this deviation with everything beyond `cut` deviations drawn again; at cut 2 the values' own deviation is 0.8796 times as large. */
export const truncatedNormal =
  (deviation: number, cut = 2): Initialiser =>
  (dims, random) =>
    drawn(dims, () => {
      for (;;) {
        const value = random.normal();
        if (Math.abs(value) <= cut) return deviation * value;
      }
    });

/**
 * A matrix [rows, columns ...] whose rows, or columns where there are fewer of those, are orthogonal and of length `gain`, evenly distributed among
 * all such (Saxe et al. 2014, arXiv 1312.6120): Gram-Schmidt on normal numbers.
 */
export const orthogonal =
  (gain = 1): Initialiser =>
  (dims, random) => {
    const rows = dims[0] ?? 1;
    const columns = sizeOf(dims) / rows;
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors: Float64Array[] = [];
    for (let i = 0; i < count; i++) {
      const vector = Float64Array.from({ length }, () => random.normal());
      for (const other of vectors) {
        const share = dot(vector, other);
        for (let k = 0; k < length; k++) vector[k]! -= share * other[k]!;
      }
      const norm = Math.sqrt(dot(vector, vector));
      vectors.push(vector.map((v) => v / norm));
    }
    const at = (row: number, column: number): number => (rows <= columns ? vectors[row]![column]! : vectors[column]![row]!);
    return Float32Array.from({ length: rows * columns }, (_, i) => gain * at(Math.floor(i / columns), i % columns));
  };

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
};

/** Each part along the first axis for itself, e.g. the directions of a recurrent layer: an initialiser of [parts, ...dims] from one of dims. */
export const eachPart =
  (initialise: Initialiser): Initialiser =>
  (dims, random) => {
    const [parts, ...rest] = dims as [number, ...number[]];
    const values = new Float32Array(sizeOf(dims));
    for (let i = 0; i < parts; i++) values.set(initialise(rest, random), i * sizeOf(rest));
    return values;
  };
