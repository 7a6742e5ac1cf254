/** @file What the written gradient looks like: constants made once, kernels chosen, cuts reported, and what is refused. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type GradientOptions, gradient } from '../../../src/core/autodiff/gradient.ts';
import { straightThrough } from '../../../src/core/autodiff/substitutes.ts';
import { UserError } from '../../../src/core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64, numbersOf, tensor } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

type Body = (g: GraphBuilder, x: string) => string;

function made(dims: readonly (number | string)[], body: Body, options: Partial<GradientOptions> = {}) {
  const g = graphBuilder();
  g.op('Identity', [body(g, g.input('x', dims))], {}, 'y');
  g.output('y');
  return gradient(g.build(), runtime.execute, { of: ['y'], wrt: ['x'], ...options });
}

const opsOf = async (...args: Parameters<typeof made>): Promise<string[]> => (await made(...args)).graph.nodes.map((n) => n.op);

/** Frames of 4, as far apart as the signal has axes. */
const shortTime = (g: GraphBuilder, x: string): string => {
  const step = g.op('Squeeze', [g.op('Shape', [g.op('Shape', [x])])]);
  return g.op('STFT', [x, step, '', g.constant(i64([4], []))]);
};

const ones = (g: GraphBuilder, ...dims: number[]): string =>
  g.constant(f32(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1), dims));

describe('kernels', () => {
  it('turns a weight shared by several convolutions once', async () => {
    const result = await made(['N', 4, 5, 5], (g, x) => {
      const w = ones(g, 4, 4, 3, 3);
      const step = (value: string): string => g.op('Conv', [value, w], { pads: [1, 1, 1, 1] });
      return step(step(step(x)));
    });
    expect(result.graph.nodes.filter((n) => n.op === 'Conv')).toHaveLength(6);
    expect([...result.graph.initializers.values()].filter((t) => t.dims.length === 4)).toHaveLength(2);
  });

  it('transposes constant weights while writing, others at run time', async () => {
    const fixed: Body = (g, x) => g.op('MatMul', [x, ones(g, 4, 3)]);
    expect(await opsOf(['N', 4], fixed)).not.toContain('Transpose');
    expect(await opsOf(['N', 4], (g, x) => g.op('MatMul', [x, g.op('Exp', [ones(g, 4, 3)])]))).toContain('Transpose');
  });

  it('uses plain convolutions at stride 1 and for depthwise ones, the transposed one where strides skip or the picture has few channels', async () => {
    const conv =
      (w: number[], attrs: Record<string, number | number[]>): Body =>
      (g, x) =>
        g.op('Conv', [x, ones(g, ...w)], attrs);
    expect(await opsOf(['N', 4, 6, 6], conv([3, 4, 3, 3], {}))).not.toContain('ConvTranspose');
    expect(await opsOf(['N', 3, 6, 6], conv([8, 3, 3, 3], {}))).toContain('ConvTranspose');
    expect(await opsOf(['N', 2, 6, 6], conv([2, 1, 3, 3], { group: 2 }))).not.toContain('ConvTranspose');
    expect(await opsOf(['N', 2, 6, 6], conv([3, 2, 3, 3], { strides: [2, 2] }))).toContain('ConvTranspose');
  });

  it('keeps the forward MaxPool without indices, whose kernel is faster', async () => {
    const result = await made(['N', 1, 6, 6], (g, x) => g.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2] }));
    const pools = result.graph.nodes.filter((n) => n.op === 'MaxPool');
    expect(pools.map((n) => n.outputs.length)).toEqual([1, 2]);
    expect(result.graph.nodes.map((n) => n.op)).toContain('ScatterElements');
  });

  it('unpools where windows do not overlap', async () => {
    const ops = await opsOf(['N', 1, 6, 6], (g, x) => g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }));
    expect(ops).toContain('MaxUnpool');
    expect(ops).not.toContain('ScatterElements');
  });

  it('keeps a symbolic batch out of every constant', async () => {
    const result = await made(['N', 3, 4], (g, x) => {
      const tiled = g.op('Tile', [x, g.ints([2, 1, 1])]);
      return g.op('Reshape', [g.op('Gather', [tiled, g.ints([0, 2])], { axis: 1 }), g.ints([-1, 4])]);
    });
    const session = await runtime.open(result.graph);
    for (const n of [1, 2, 7]) {
      const x = f32(new Float32Array(n * 12), [n, 3, 4]);
      const dx = (await session.run({ x }))[result.gradients.x!]!;
      expect(dx.dims).toEqual([n, 3, 4]);
      // each kept row was read twice
      expect(numbersOf(dx)).toEqual(Array.from({ length: n * 12 }, (_, i) => (Math.floor(i / 4) % 3 === 1 ? 0 : 2)));
    }
    await session.release();
  });
});

describe('Cast', () => {
  const through: Body = (g, x) => g.op('Cast', [g.op('Cast', [x], { to: 7 }, 'whole')], { to: 1 });

  it('ends the gradient where a number becomes an integer, and says so', async () => {
    const result = await made(['N', 3], through);
    expect(result.cuts).toEqual([{ node: 'whole', op: 'Cast' }]);
    const dx = (await runtime.execute(result.graph, { x: f32([1.5, -2.5, 3], [1, 3]) }))[result.gradients.x!]!;
    expect(numbersOf(dx)).toEqual([0, 0, 0]);
  });

  it('lets a surrogate stand in there', async () => {
    const result = await made(['N', 3], through, { surrogates: [straightThrough({ name: 'whole' })] });
    expect(result.cuts).toEqual([]);
    const dx = (await runtime.execute(result.graph, { x: f32([1.5, -2.5, 3], [1, 3]) }))[result.gradients.x!]!;
    expect(numbersOf(dx)).toEqual([1, 1, 1]);
  });

  it('carries the gradient between float32 and float64', async () => {
    const result = await made(['N', 2], (g, x) => {
      const wide = g.op('Cast', [x], { to: 11 });
      const doubled = g.op('Mul', [wide, g.constant(tensor('float64', [], Float64Array.of(2)))]);
      return g.op('Cast', [doubled], { to: 1 });
    });
    expect(result.cuts).toEqual([]);
    const dx = (await runtime.execute(result.graph, { x: f32([1, 2], [1, 2]) }))[result.gradients.x!]!;
    expect([dx.dtype, ...numbersOf(dx)]).toEqual(['float32', 2, 2]);
  });
});

describe('refused, naming the node and a remedy', () => {
  const cases: [string, (number | string)[], Body, RegExp][] = [
    ['STFT with a step that is computed', [1, 8, 1], (g, x) => shortTime(g, x), /STFT .*step between frames is not fixed/],
    [
      'reflection along a free axis',
      ['N', 4],
      (g, x) => g.op('Pad', [x, g.ints([1, 0, 0, 0])], { mode: 'reflect' }),
      /Pad .*axis 0/,
    ],
    [
      'AveragePool of a free length',
      ['N', 1, 'T'],
      (g, x) => g.op('AveragePool', [x], { kernel_shape: [2] }),
      /AveragePool .*axis 2/,
    ],
    [
      'training-mode Dropout',
      [4],
      (g, x) => g.op('Dropout', [x, g.number(0.5), g.constant(tensor('bool', [], Uint8Array.of(1)))]),
      /Dropout .*training mode/,
    ],
    [
      'Resize of a free length',
      ['N', 1, 'T'],
      (g, x) => g.op('Resize', [x, '', g.constant(f32([1, 1, 2]))], { mode: 'linear' }),
      /Resize .*axis 2 is not fixed/,
    ],
    [
      'Resize of a free length to a fixed one',
      ['N', 1, 'T'],
      (g, x) => g.op('Resize', [x, '', '', g.ints([6])], { mode: 'linear', axes: [2] }),
      /Resize .*axis 2 is not fixed/,
    ],
    [
      'Resize of a free length to a computed one',
      ['N', 1, 'T'],
      (g, x) => {
        const sizes = g.op('Mul', [g.op('Shape', [x]), g.ints([1, 1, 2])]);
        return g.op('Resize', [x, '', '', sizes], { mode: 'linear' });
      },
      /Resize .*axis 2 is not fixed/,
    ],
  ];
  it.each(cases)('%s', async (_, dims, body, message) => {
    const error = await made(dims, body).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).remedy).not.toBe('');
  });

  it('automatic padding that was not made explicit is a programming error', async () => {
    const conv: Body = (g, x) => g.op('Conv', [x, ones(g, 1, 1, 3, 3)], { auto_pad: 'SAME_UPPER' });
    await expect(made(['N', 1, 4, 4], conv)).rejects.toThrow(/prepare the graph first/);
  });
});
