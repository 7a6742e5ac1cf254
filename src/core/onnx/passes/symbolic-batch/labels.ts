/** @file Where the rows of a value lie: found by comparing the numbers of a run at a larger batch with those the original gives for the same samples. */
import { numbersOf, type Tensor } from '../../../tensor/tensor.ts';

/** What the original gave for one group of samples: `rows[i]` is the sample at place i of its batch. */
export interface Group {
  readonly rows: readonly number[];
  readonly value: Tensor;
}

/** Elements of one sample that lie before the axis of the samples; undefined for what is the same for all samples. */
export type Before = number | undefined;

/** Relative difference up to which numbers are taken for the same while looking; the proof at the end is stricter. */
const tolerance = 1e-3;

/** Where the rows of `value`, computed for all samples, lie; a mismatch is null. */
export function findRows(value: Tensor, groups: readonly Group[]): { readonly before: Before } | null {
  const [first] = groups as readonly [Group];
  const [batch, all] = [first.rows.length, Math.max(...groups.flatMap((g) => g.rows)) + 1];
  const dims = first.value.dims;
  if (first.value.dtype !== value.dtype) return null;
  const ahead = value.dims.length === dims.length + 1 && value.dims.slice(1).join() === dims.join();
  if (ahead && batch === 1 && value.dims[0] === all) {
    const after = value.data.length / all;
    return groups.every((g) => rowsAgree(value, g, 1, after, all)) ? { before: 1 } : null;
  }
  if (dims.length !== value.dims.length) return null;
  const grew = [...dims.keys()].filter((axis) => dims[axis] !== value.dims[axis]);
  if (grew.length === 0) {
    // sizes and indices may follow the batch in their numbers
    const same = !value.dtype.includes('float') || groups.every((g) => equal(value, g.value));
    return same ? { before: undefined } : null;
  }
  const [axis] = grew as [number];
  if (grew.length > 1 || dims[axis]! * all !== value.dims[axis]! * batch) return null;
  const start = dims.slice(0, axis).reduce((p, d) => p * d, 1);
  const per = dims[axis]! / batch;
  const inner = dims.slice(axis + 1).reduce((p, d) => p * d, 1);
  for (let outer = 1; outer <= per; outer++) {
    if (per % outer !== 0) continue;
    const [before, after] = [start * outer, (per / outer) * inner];
    if (groups.every((g) => rowsAgree(value, g, before, after, all))) return { before };
  }
  return null;
}

function rowsAgree(value: Tensor, { rows, value: alone }: Group, before: number, after: number, all: number): boolean {
  if (before * rows.length * after !== alone.data.length) return false;
  const [together, single] = [elementsOf(value), elementsOf(alone)];
  const allowed = allowance(single);
  for (let p = 0; p < before; p++)
    for (const [i, row] of rows.entries())
      if (!stretchesAgree(single, (p * rows.length + i) * after, together, (p * all + row) * after, after, allowed)) return false;
  return true;
}

function equal(value: Tensor, other: Tensor): boolean {
  const [a, b] = [elementsOf(value), elementsOf(other)];
  return stretchesAgree(a, 0, b, 0, a.length, allowance(a));
}

type Elements = ArrayLike<number | bigint | string>;

/** Numbers as they lie in memory, which tell different values apart whatever their type; float16 decoded. */
const elementsOf = (t: Tensor): Elements => (t.dtype === 'float16' ? numbersOf(t) : (t.data as Elements));

/** Largest difference that is taken for rounding. */
function allowance(a: Elements): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const v = a[i]!;
    if (typeof v !== 'number') return 0;
    if (Math.abs(v) > most && Math.abs(v) !== Infinity) most = Math.abs(v);
  }
  return tolerance * most;
}

function stretchesAgree(a: Elements, from: number, b: Elements, at: number, length: number, allowed: number): boolean {
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[from + i]!, b[at + i]!];
    if (x === y || Object.is(x, y)) continue;
    if (typeof x !== 'number' || typeof y !== 'number' || !(Math.abs(x - y) <= allowed)) return false;
  }
  return true;
}
