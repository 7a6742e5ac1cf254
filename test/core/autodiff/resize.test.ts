/** @file Which element a nearest neighbour is can hang on the last bit of a coordinate: the rule has to pick what the runtime picks. */
import * as fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { type AttributeInput, float, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, i64, numbersOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);
const coordinates = ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'] as const;
const roundings = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

/** The derivative of a resized line of `size` elements along random directions c and v: c . R v by the runtime, (R^T c) . v by the rule. */
async function bothSides(size: number, target: Tensor, attrs: Record<string, AttributeInput>): Promise<[number, number]> {
  const g = graphBuilder({ opset: 19 });
  const inputs = target.dtype === 'int64' ? ['', '', g.constant(target)] : ['', g.constant(target)];
  g.op('Resize', [g.input('x', [1, 1, 1, size]), ...inputs], { axes: [3], ...attrs }, 'y');
  g.untypedOutput('y');
  const made = await gradient(g.build(), runtime.execute, { of: ['y'], wrt: ['x'], cotangents: true });
  const random = stream('resize', size);
  const draw = (n: number): Tensor<'float32'> =>
    f32(
      Float32Array.from({ length: n }, () => random.normal()),
      [1, 1, 1, n],
    );
  const x = draw(size);
  const y = numbersOf((await runtime.execute(g.build(), { x })).y!);
  const c = draw(y.length);
  const dx = numbersOf((await runtime.execute(made.graph, { x, cotangent_y: c }))[made.gradients.x!]!);
  return [y.reduce((sum, v, i) => sum + v * c.data[i]!, 0), dx.reduce((sum, v, i) => sum + v * x.data[i]!, 0)];
}

const lengths = fc.integer({ min: 1, max: 40 });
const targets = fc.oneof(
  lengths.map((n) => i64([n])),
  fc.constantFrom(0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 1.1, 1.3, 1.5, 5 / 3, 2, 2.2, 3, 3.3).map((s) => f32([s])),
);
const agree = (attrs: Record<string, AttributeInput>) =>
  fc.asyncProperty(lengths, targets, async (size, target) => {
    fc.pre(target.dtype === 'int64' || Math.floor(size * target.data[0]!) >= 1);
    const [forward, backward] = await bothSides(size, target, attrs);
    expect(backward).toBeCloseTo(forward, 3);
  });

describe('Resize: the rule is the transpose of what the runtime computes', () => {
  it.each(coordinates.flatMap((c) => roundings.map((r) => [c, r] as const)))('nearest, %s, %s', async (coordinate, rounding) => {
    await fc.assert(agree({ mode: 'nearest', coordinate_transformation_mode: coordinate, nearest_mode: rounding }), {
      numRuns: 10,
      seed: 1,
    });
  });
  it.each(coordinates)('linear, %s', async (coordinate) => {
    await fc.assert(agree({ mode: 'linear', coordinate_transformation_mode: coordinate }), { numRuns: 10, seed: 1 });
  });
  it.each([0, 1])('cubic, exclude_outside %i', async (outside) => {
    await fc.assert(agree({ mode: 'cubic', exclude_outside: outside }), { numRuns: 10, seed: 1 });
  });
  it.each(['linear', 'cubic'].flatMap((mode) => [0, 1].map((outside) => [mode, outside] as const)))(
    '%s, antialias, exclude_outside %i',
    async (mode, outside) => {
      await fc.assert(agree({ mode, antialias: 1, exclude_outside: outside, cubic_coeff_a: float(-0.5) }), {
        numRuns: 10,
        seed: 1,
      });
    },
  );
});
