/** @file The random numbers a step reads (dropout and the like), drawn per sample: who else is in the batch does not matter. */
import { stream } from '../../../core/tensor/random.ts';
import { f32, sizeOf, type Tensor } from '../../../core/tensor/tensor.ts';
import type { NoiseInput } from '../net.ts';

/** A tensor [N, ...shape] for each random input; sample i's part follows from seed, its id, the step and the input's name. */
export function drawNoise(
  noise: readonly NoiseInput[],
  ids: readonly string[],
  { seed, step }: { readonly seed: number; readonly step: number },
): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    noise.map(({ name, shape, kind }) => {
      const size = sizeOf(shape);
      const values = new Float32Array(ids.length * size);
      for (const [n, id] of ids.entries()) {
        const random = stream(seed, id, 'noise', step, name);
        const draw = kind === 'uniform' ? random.uniform : random.normal;
        for (let i = n * size; i < (n + 1) * size; i++) values[i] = draw();
      }
      return [name, f32(values, [ids.length, ...shape])];
    }),
  );
}
