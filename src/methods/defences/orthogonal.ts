/** @file Weights pulled towards orthogonal rows: what keeps a layer from enlarging a difference between two inputs. */

/**
 * W <- (1 + beta) W - beta W W' W for W [rows, ...columns], in place and in float64 sums: a step of length beta down |W W' - I|^2 / 4, which is 0 where the rows
 * are orthonormal (Cisse et al. 2017, arXiv 1704.08847, equation 8). A singular value s becomes s + beta (s - s^3).
 */
export function retract(weights: Float32Array, rows: number, beta: number): void {
  const columns = weights.length / rows;
  const before = Float64Array.from(weights);
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += before[i * columns + k]! * before[j * columns + k]!;
      gram[i * rows + j] = sum;
      gram[j * rows + i] = sum;
    }
  const mixed = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    mixed.fill(0);
    for (let j = 0; j < rows; j++) {
      const share = gram[i * rows + j]!;
      for (let k = 0; k < columns; k++) mixed[k]! += share * before[j * columns + k]!;
    }
    for (let k = 0; k < columns; k++) weights[i * columns + k] = (1 + beta) * before[i * columns + k]! - beta * mixed[k]!;
  }
}
