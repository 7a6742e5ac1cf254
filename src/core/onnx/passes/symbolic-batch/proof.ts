/** @file The proof that a rewritten graph does to every row what the original did: run at two other batch sizes, row by row. */
import { stream } from '../../../tensor/random.ts';
import { type NumericDType, numbersOf, sizeOf, type Tensor, zeros } from '../../../tensor/tensor.ts';
import { feedsOf, type Graph, type Value } from '../../graph.ts';
import type { Execute } from '../shapes.ts';
import { joinRows, splitRows } from './rows.ts';

/** Largest difference that rounding explains, relative to the largest magnitude of the output. */
const tolerance = 1e-5;

/** Where the rows of each output lie: axis and elements of it per row. */
export interface OutputRows {
  readonly axis: number;
  readonly perRow: number;
  readonly dtype: Tensor['dtype'];
  readonly dims: readonly number[];
}

export interface Claim {
  readonly original: Graph;
  readonly rewritten: Graph;
  readonly batch: number;
  /** Batch axis by input name; inputs without one are fed the same value every time. */
  readonly batchAxis: Readonly<Record<string, number>>;
  readonly outputAxis: number;
}

/** The rows of every output, or a sentence saying what contradicts the claim. */
export async function prove(claim: Claim, execute: Execute): Promise<Map<string, OutputRows> | string> {
  const { original, rewritten, batch, batchAxis } = claim;
  const found = new Map<string, OutputRows>();
  let varies = false;
  for (const n of [batch + 1, 2 * batch + 1]) {
    const feed = (rows: readonly number[]): Record<string, Tensor> => feedOf(original, rows, batchAxis);
    const range = Array.from({ length: n }, (_, i) => i);
    const together = await execute(rewritten, feed(range));
    for (let start = 0; start < n; start += batch) {
      const group = Array.from({ length: batch }, (_, i) => (start + i) % n);
      const alone = await execute(original, feed(group));
      for (const { name } of original.outputs) {
        const rows = outputRows(alone[name]!, together[name]!, claim, n);
        if (rows === undefined) {
          return `output "${name}" is [${together[name]!.dims}] at batch ${n} and [${alone[name]!.dims}] at batch ${batch}: its rows cannot be told apart`;
        }
        found.set(name, rows);
        const [one, all] = [splitRows(alone[name]!, rows.axis, batch), splitRows(together[name]!, rows.axis, n)];
        varies ||= all.some((row) => row.data.some((v, i) => v !== all[0]!.data[i]));
        const wrong = group.find((row, i) => start + i < n && !close(one[i]!, all[row]!));
        if (wrong !== undefined) return `output "${name}" of row ${wrong} changes when the batch is ${n} instead of ${batch}`;
      }
    }
  }
  return varies ? found : 'no output changes with the input: running it proves nothing';
}

/** The axis that grew with the batch while all others stayed; the given one if several could have. */
function outputRows(alone: Tensor, together: Tensor, { batch, outputAxis }: Claim, n: number): OutputRows | undefined {
  if (alone.dims.length !== together.dims.length || alone.dtype !== together.dtype) return undefined;
  const grew = [...alone.dims.keys()].filter((axis) => alone.dims[axis] !== together.dims[axis]);
  const axis = grew.includes(outputAxis) ? outputAxis : grew[0];
  if (axis === undefined || grew.length > 1 || alone.dims[axis]! * n !== together.dims[axis]! * batch) return undefined;
  return { axis, perRow: alone.dims[axis]! / batch, dtype: alone.dtype, dims: alone.dims };
}

function close(a: Tensor, b: Tensor): boolean {
  if (a.dtype === 'string' || b.dtype === 'string') return a.data.every((v, i) => v === b.data[i]);
  const [x, y] = [numbersOf(a), numbersOf(b)];
  const size = x.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
  return x.every((v, i) => Object.is(v, y[i]) || Math.abs(v - y[i]!) <= tolerance * size);
}

/** Random values for these samples (by number) of a graph, stacked; inputs without a batch are the same every time. */
export function feedOf(
  graph: Graph,
  rows: readonly number[],
  batchAxis: Readonly<Record<string, number>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    feedsOf(graph).map((v) => {
      const axis = batchAxis[v.name];
      const drawn = rowsOf(v, axis, Math.max(...rows) + 1);
      return [
        v.name,
        axis === undefined
          ? drawn[0]!
          : joinRows(
              rows.map((r) => drawn[r]!),
              axis,
            ),
      ];
    }),
  );
}

/** `n` random rows of an input: normal for floating point, 0 or 1 for everything else. */
function rowsOf(value: Value, axis: number | undefined, n: number): Tensor[] {
  const count = axis === undefined ? 1 : n;
  const dims = (value.dims ?? []).map((d, i) => (i === axis ? 1 : (d as number)));
  return Array.from({ length: count }, (_, row) => {
    const s = stream('symbolic-batch', value.name, row);
    if (value.dtype === 'string') return { dtype: 'string', dims, data: new Array<string>(sizeOf(dims)).fill('') };
    const out = zeros(value.dtype as NumericDType, dims);
    if (out.dtype === 'float32' || out.dtype === 'float64') for (let i = 0; i < out.data.length; i++) out.data[i] = s.normal();
    else if (out.dtype === 'int64' || out.dtype === 'uint64')
      for (let i = 0; i < out.data.length; i++) out.data[i] = BigInt(s.integer(2));
    // the bits of 0 and 1 in float16
    else for (let i = 0; i < out.data.length; i++) out.data[i] = s.integer(2) * (out.dtype === 'float16' ? 0x3c00 : 1);
    return out;
  });
}
