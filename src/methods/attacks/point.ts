import type { Inputs, Sample } from '../../kit/model/model.ts';

/** Perturbations of one sample, by attacked input. */
export type Deltas = Readonly<Record<string, Float32Array>>;

/** The sample's inputs with `deltas` added in float32; inputs without a delta are passed on as they are. */
export const pointAt = (sample: Sample, deltas: Deltas): Inputs => pointsAt([sample], [deltas])[0]!;

/** pointAt for samples that are asked about together: the moved inputs lie side by side in memory, so that packing them into a batch costs nothing. */
export function pointsAt(samples: readonly Sample[], deltas: readonly Deltas[]): Inputs[] {
  const moved = samples.map((sample): Record<string, Float32Array> => ({ ...sample.inputs }));
  for (const name of Object.keys(deltas[0] ?? {})) {
    const sizes = deltas.map((d) => d[name]!.length);
    const all = new Float32Array(sizes.reduce((a, b) => a + b, 0));
    let start = 0;
    for (const [i, size] of sizes.entries()) {
      const point = all.subarray(start, start + size);
      addInto(point, samples[i]!.inputs[name]!, deltas[i]![name]!);
      moved[i]![name] = point;
      start += size;
    }
  }
  return moved;
}

/** total = a + b, element by element, rounded to float32. */
function addInto(total: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = a[i]! + b[i]!;
}

/** Whether no value is NaN or infinite. */
export function allFinite(values: Float32Array): boolean {
  // 0 for every finite number, NaN for the others: no branch per element
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}

/** The same function of every attacked input, by name. */
export const perInput = <T, R>(parts: Readonly<Record<string, T>>, f: (part: T, name: string) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, f(part, name)]));
