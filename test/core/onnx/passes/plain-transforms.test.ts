import { describe, expect, it } from 'vitest';
import { gradient } from '../../../../src/core/autodiff/gradient.ts';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { plainTransforms } from '../../../../src/core/onnx/passes/plain-transforms.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { i64, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { execute, normalFeeds } from './compare.ts';

/** The spectrum of [2, 3, 5, 2] along the default axis, squared. */
function squared(opset: number, ...rest: string[]) {
  const g = graphBuilder({ opset, irVersion: 9 });
  const x = g.input('x', [2, 3, 5, 2]);
  const y = g.op('DFT', [x, ...rest], {}, 'spectrum');
  g.op('Mul', [y, y], {}, 'y');
  g.output('y', [2, 3, 5, 2]);
  return g.build();
}

describe('plainTransforms', () => {
  it.each([
    [17, 3],
    [19, 3],
    [20, 5],
  ])('opset %i transforms %i elements by default, forwards and backwards', async (opset, count) => {
    const prepared = await prepare(squared(opset), execute);
    const made = await gradient(prepared, execute, { of: ['y'], wrt: ['x'] });
    const feeds = normalFeeds(prepared);
    const results = await execute(made.graph, feeds);
    // sum |F x|^2 = n sum |x|^2
    const got = numbersOf(results[made.gradients.x!]!);
    for (const [i, x] of numbersOf(feeds.x!).entries()) expect(got[i]).toBeCloseTo(2 * count * x, 3);
  });

  it('leaves out what is left out behind the last input', () => {
    expect(plainTransforms(squared(20, '', '')).nodes[0]!.inputs).toEqual(['x']);
    const g = graphBuilder({ opset: 20 });
    g.op('DFT', [g.input('x', [1, 4, 2]), '', g.constant(i64([1], []), 'axis')], {}, 'y');
    g.output('y', [1, 4, 2]);
    const graph = g.build();
    expect(plainTransforms(graph)).toBe(graph);
  });
});
