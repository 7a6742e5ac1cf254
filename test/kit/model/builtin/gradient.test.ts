import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32 } from '../../../../src/core/tensor/tensor.ts';
import { builtinModels } from '../../../../src/kit/model/builtin/index.ts';
import { builtGraph } from './faces.ts';

const runtime = createRuntime(ort);

/** Richardson's extrapolation of two central differences along the gradient itself. */
test.each(Object.values(builtinModels))('$name: the gradient predicts how its outputs move', async ({ name, inputs, output }) => {
  const side = inputs.image!.shape[1]!;
  const evaluator = await compile(await builtGraph(name), { of: [output.name], wrt: ['image'], runtime });
  expect(evaluator.cuts).toEqual([]);
  const random = stream('gradient', name);
  const x = Float32Array.from({ length: 3 * side * side }, () => 0.3 + 0.4 * random.uniform());
  const run = (values: Float32Array) => evaluator.run({ image: f32(values, [1, 3, side, side]) });
  const gradient = (await run(x)).grads.image!.data as Float32Array;
  const norm = Math.hypot(...chunks(gradient));
  const at = async (t: number) => {
    const moved = await run(x.map((v, i) => v + (t * gradient[i]!) / norm));
    return (moved.of[output.name]!.data as Float32Array).reduce((a, b) => a + b, 0);
  };
  const slope = async (h: number) => ((await at(h)) - (await at(-h))) / (2 * h);
  const h = 0.01;
  const measured = (4 * (await slope(h / 2)) - (await slope(h))) / 3;
  await evaluator.release();
  expect(norm).toBeGreaterThan(0);
  expect(Math.abs(measured / norm - 1)).toBeLessThan(0.02);
});

/** Norms of pieces, because an argument list has its limits. */
function chunks(values: Float32Array): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < values.length; i += 1000) sizes.push(Math.hypot(...values.subarray(i, i + 1000)));
  return sizes;
}
