import { type F64, f64, type Kernels } from './types.ts';

/** By expansion along the first row. */
function expanded(rows: readonly (readonly number[])[]): number {
  if (rows.length === 1) return rows[0]![0]!;
  return rows[0]!.reduce((sum, v, j) => {
    const minor = rows.slice(1).map((row) => row.filter((_, column) => column !== j));
    return sum + (j % 2 === 0 ? v : -v) * expanded(minor);
  }, 0);
}

function determinants(x: F64): F64 {
  const n = x.dims.at(-1)!;
  const matrices = Array.from({ length: x.data.length / (n * n) }, (_, at) =>
    Array.from({ length: n }, (_, row) => Array.from(x.data.subarray((at * n + row) * n, (at * n + row + 1) * n))),
  );
  return f64(x.dims.slice(0, -2), matrices.map(expanded));
}

export const determinant: Kernels = { Det: ([x]) => [determinants(x!)] };
