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
export const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + b[i]!);

/** The same function of every attacked input, by name. */
export const perInput = <T, R>(parts: Readonly<Record<string, T>>, f: (part: T, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, f(part, name)]));
