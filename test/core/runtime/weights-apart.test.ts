import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { writeApart } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

it('keeps lists of sizes in the model, where the runtime needs them to infer shapes, and hands large weights over apart', async () => {
  const parts = 600;
  const g = graphBuilder();
  const x = g.input('x', ['N', 2]);
  const weights = g.constant(
    f32(
      Float32Array.from({ length: 2 * parts }, (_, i) => i),
      [2, parts],
    ),
  );
  const split = g.ops('Split', [g.op('MatMul', [x, weights]), g.ints(new Array<number>(parts).fill(1))], parts, { axis: 1 });
  g.output(g.op('Sub', [split.at(-1)!, split[0]!]), ['N', 1]);
  const graph = g.build();
  expect(writeApart(graph).weights.map(({ data }) => data.length)).toEqual([4 * 2 * parts]);
  const session = await runtime.open(graph);
  const results = await session.run({ x: f32([1, 0, 2, 1], [2, 2]) });
  expect([...Object.values(results)[0]!.data]).toEqual([parts - 1, 3 * (parts - 1)]);
  await session.release();
});
