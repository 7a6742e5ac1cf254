/** The runtime's optimiser rewrites gradient graphs; what it is known to get wrong must not be in them. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';

const [plain, optimised] = (['disabled', 'all'] as const).map((optimization) => createRuntime(ort, { optimization })) as [
  ReturnType<typeof createRuntime>,
  ReturnType<typeof createRuntime>,
];

const random = (name: string, dims: readonly number[]) =>
  f32(Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, stream('optimised', name).normal), dims);

/** What selects a part of a value of [N, 2, 4, 3]; each has zeros around it in its derivative. */
const parts: Record<string, (g: GraphBuilder, x: string) => string> = {
  Slice: (g, x) => g.op('Slice', [x, g.ints([1]), g.ints([3]), g.ints([2])]),
  'Slice with a step': (g, x) => g.op('Slice', [x, g.ints([0]), g.ints([4]), g.ints([2]), g.ints([2])]),
  Gather: (g, x) => g.op('Gather', [x, g.ints([1])], { axis: 2 }),
  'Pad by reflection': (g, x) => g.op('Pad', [x, g.ints([0, 0, 1, 0, 0, 0, 2, 0])], { mode: 'reflect' }),
};

describe('gradients between transposes are the same with and without graph optimisation', () => {
  it.each(Object.entries(parts))('%s', async (name, part) => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 3, 2, 4]);
    const seen = part(g, g.op('Transpose', [g.op('Mul', [x, x])], { perm: [0, 2, 3, 1] }));
    g.output(g.op('Mul', [seen, seen], {}, 'y'), [null, null, null, null]);
    const made = await gradient(g.build(), plain.execute, { of: ['y'], wrt: ['x'] });
    const run = async (runtime: typeof plain) => {
      const session = await runtime.open(made.graph);
      try {
        return numbersOf((await session.run({ x: random(name, [2, 3, 2, 4]) }))[made.gradients.x!]!);
      } finally {
        await session.release();
      }
    };
    const expected = await run(plain);
    expect(expected.some((v) => v !== 0)).toBe(true);
    expect(await run(optimised)).toEqual(expected);
  });
});
