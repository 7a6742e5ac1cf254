/** @file The discrete Fourier transform as numbers: a linear map, written out. */

/** One transform along an axis. Real values have one component, complex ones two. */
export interface Transform {
  /** Elements of x along the axis; those from `length` on are not read. */
  readonly size: number;
  readonly length: number;
  /** Elements of y. */
  readonly bins: number;
  readonly fromParts: number;
  readonly toParts: number;
  readonly inverse: boolean;
}

/** How often a bin of a halved spectrum counts: those with a mirror image twice. */
export const multiplicity = (k: number, length: number): number => (k === 0 || 2 * k === length ? 1 : 2);

/** A real signal from more or fewer bins than it has: there the runtime departs from the definition. */
export const hasOddSpectrum = ({ inverse, toParts, size, length }: Transform): boolean =>
  inverse && toParts === 1 && size !== Math.floor(length / 2) + 1;

/**
 * y_k = sum of x_t e^(-2 pi i k t / n), with + and 1 / n for the inverse, as [bins x parts of y, size x parts of x], row-major: the derivative of each
 * element of y by each of x. `weights` (one per element of x) scale x before. A complex spectrum made real is taken as halved.
 */
export function fourierMatrix(t: Transform, weights?: readonly number[]): Float64Array {
  const { size, length, bins, fromParts, toParts, inverse } = t;
  const columns = size * fromParts;
  const matrix = new Float64Array(bins * toParts * columns);
  // made real: element `at` of x is a bin, `k` of y a position
  const isReal = inverse && toParts === 1;
  const used = Math.min(size, isReal ? Math.floor(length / 2) + 1 : length);
  const scale = inverse ? 1 / length : 1;
  for (let k = 0; k < bins; k++) {
    for (let at = 0; at < used; at++) {
      // the product modulo the length keeps the angle exact
      const angle = (2 * Math.PI * ((k * at) % length)) / length;
      const weight = scale * (weights?.[at] ?? 1) * (isReal ? multiplicity(at, length) : 1);
      const [cosine, sine] = [weight * Math.cos(angle), (inverse ? weight : -weight) * Math.sin(angle)];
      const [real, imaginary] = [k * toParts * columns + at * fromParts, (k * toParts + 1) * columns + at * fromParts];
      matrix[real] = cosine;
      if (fromParts === 2) matrix[real + 1] = -sine;
      if (toParts === 2) matrix[imaginary] = sine;
      if (toParts === 2 && fromParts === 2) matrix[imaginary + 1] = cosine;
    }
  }
  return matrix;
}
