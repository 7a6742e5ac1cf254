import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../src/core/tensor/tensor.ts';
import { builtinModels } from '../../src/kit/model/builtin/index.ts';
import { builtGraph } from '../kit/model/builtin/faces.ts';

it('face-api/tiny-face-detector gives the same bits for batches of 1, 2, 8 and 37', async () => {
  const name = 'face-api/tiny-face-detector';
  const { shape } = builtinModels[name]!.inputs.image!;
  const size = sizeOf(shape);
  const random = stream('batch independence', name);
  const all = Float32Array.from({ length: 37 * size }, random.uniform);
  const session = await createRuntime(ort, { threads: 2 }).open(await builtGraph(name));
  const run = async (from: number, batch: number): Promise<Float32Array> => {
    const image = f32(all.subarray(from * size, (from + batch) * size), [batch, ...shape]);
    return Object.values(await session.run({ image }))[0]!.data as Float32Array;
  };
  const whole = await run(0, 37);
  const width = whole.length / 37;
  for (const batch of [1, 2, 8]) {
    for (let from = 0; from + batch <= 37; from += batch) {
      const some = await run(from, batch);
      expect(
        Buffer.compare(
          Buffer.from(some.buffer, some.byteOffset, some.byteLength),
          Buffer.from(whole.slice(from * width, (from + batch) * width).buffer),
        ),
      ).toBe(0);
    }
  }
  await session.release();
});
