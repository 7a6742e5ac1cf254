import type { Inputs, Sample } from '../../kit/model/model.ts';

/** Perturbations of one sample, by attacked input. */
export type Deltas = Readonly<Record<string, Float32Array>>;

/** The sample's inputs with `deltas` added in float32; inputs without a delta are passed on as they are. */
export function pointAt(sample: Sample, deltas: Deltas): Inputs {
  const moved: Record<string, Float32Array> = { ...sample.inputs };
  for (const [name, delta] of Object.entries(deltas)) moved[name] = sum(sample.inputs[name]!, delta);
  return moved;
}

/** a + b, element by element, rounded to float32. */
function sum(a: Float32Array, b: Float32Array): Float32Array {
  const total = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) total[i] = a[i]! + b[i]!;
  return total;
}

/** Whether no value is NaN or infinite. */
export function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** The same function of every attacked input, by name. */
export const perInput = <T, R>(parts: Readonly<Record<string, T>>, f: (part: T, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, f(part, name)]));
