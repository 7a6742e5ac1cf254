/** @file The float32 copy of quantised operators computes what the runtime's integer kernels compute, and its derivative is the straight-through one. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { floatCopy } from '../../../../src/core/autodiff/float-copy.ts';
import { gradient } from '../../../../src/core/autodiff/gradient.ts';
import { type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { elementType } from '../../../../src/core/onnx/dtypes.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf, type Tensor, tensor } from '../../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

const draw = (name: string, dims: readonly number[], size = 1): Tensor<'float32'> => {
  const random = stream('dequantise', name);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => size * random.normal()),
    dims,
  );
};

/** Constants of a test graph: a scale, and integers of a type. */
const scale = (g: GraphBuilder, value: number) => g.constant(f32([value], []));
const ints = (
  g: GraphBuilder,
  dtype: 'uint8' | 'int8' | 'int16' | 'int32',
  values: readonly number[],
  dims: readonly number[] = [],
) => {
  const arrays = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, int32: Int32Array };
  return g.constant(tensor(dtype as 'int8', dims, arrays[dtype].from(values) as Int8Array));
};
const drawnInts = (g: GraphBuilder, name: string, dims: readonly number[]) =>
  ints(
    g,
    'int8',
    Array.from(draw(name, dims, 40).data, (v) => Math.max(-127, Math.min(127, Math.round(v)))),
    dims,
  );

/** An operator of onnxruntime's own domain. */
const own = (g: GraphBuilder, op: string, inputs: readonly string[], attributes: Record<string, number> = {}): string => {
  const name = g.fresh(op);
  const all = new Map(Object.entries(attributes).map(([key, value]) => [key, { type: 'int', value } as const]));
  g.add({ op, domain: 'com.microsoft', name, inputs, outputs: [name], attributes: all });
  return name;
};

interface Built {
  readonly graph: Graph;
  readonly x: Tensor<'float32'>;
}

/** A graph from the float input x [2, 3, 4, 4] to y, quantised with 0.05 and 120 before `middle`, which names the value, its scale and its zero point. */
function between(
  middle: (g: GraphBuilder, q: string, s: string, z: string) => readonly [string, string, string],
  { opset = 21, dims = [2, 3, 4, 4], size = 2 } = {},
): Built {
  const g = graphBuilder({ opset, irVersion: 10 });
  const x = g.input('x', ['N', ...dims.slice(1)]);
  const [s, z] = [scale(g, 0.05), ints(g, 'uint8', [120])];
  g.op('DequantizeLinear', middle(g, g.op('QuantizeLinear', [x, s, z]), s, z), {}, 'y');
  g.untypedOutput('y');
  const built = g.build();
  return { graph: { ...built, opsets: new Map([...built.opsets, ['com.microsoft', 1]]) }, x: draw('x', dims, size) };
}

async function copied(graph: Graph) {
  const prepared = await prepare(graph, runtime.execute);
  const copy = await floatCopy(prepared, await inferShapes(prepared, runtime.execute), runtime.execute);
  return { prepared, copy: copy! };
}

const wider = (g: GraphBuilder) => [scale(g, 0.11), ints(g, 'uint8', [100])] as const;

const cases: Record<string, () => Built> = {
  'nothing between': () => between((_, q, s, z) => [q, s, z]),
  'values that saturate': () => between((_, q, s, z) => [q, s, z], { size: 8 }),
  'Transpose, Reshape and Slice of integers': () =>
    between((g, q, s, z) => {
      const flat = g.op('Reshape', [g.op('Transpose', [q], { perm: [0, 2, 3, 1] }), g.ints([0, -1])]);
      return [g.op('Slice', [flat, g.ints([3]), g.ints([40]), g.ints([1])]), s, z];
    }),
  'Concat and Pad with integer constants': () =>
    between((g, q, s, z) => {
      const padded = g.op('Pad', [q, g.ints([0, 0, 1, 1, 0, 0, 1, 1]), ints(g, 'uint8', [7])]);
      return [g.op('Concat', [padded, padded], { axis: 1 }), s, z];
    }),
  'MaxPool of integers': () => between((g, q, s, z) => [g.op('MaxPool', [q], { kernel_shape: [2, 2], strides: [2, 2] }), s, z]),
  'integers summed as int32': () =>
    between((g, q, s) => {
      const wide = g.op('Cast', [q], { to: elementType('int32') });
      return [g.op('Add', [wide, ints(g, 'int32', [-9])]), s, ''];
    }),
  QLinearConv: () =>
    between((g, q, s, z) => {
      const bias = ints(g, 'int32', [40, -300, 11, 0, 900], [5]);
      const weightScale = g.constant(f32([0.01, 0.02, 0.015, 0.03, 0.01]));
      const zero = ints(g, 'int8', [0, 0, 0, 0, 0], [5]);
      const [ys, yz] = wider(g);
      const inputs = [q, s, z, drawnInts(g, 'w', [5, 3, 3, 3]), weightScale, zero, ys, yz, bias];
      return [g.op('QLinearConv', inputs, { pads: [1, 1, 1, 1], strides: [2, 1] }), ys, yz];
    }),
  'QLinearMatMul, a scale per column': () =>
    between((g, q, s, z) => {
      const [ys, yz] = wider(g);
      const zero = ints(g, 'int8', [3, 0, -2], [3]);
      return [
        g.op('QLinearMatMul', [q, s, z, drawnInts(g, 'm', [4, 3]), g.constant(f32([0.02, 0.01, 0.03])), zero, ys, yz]),
        ys,
        yz,
      ];
    }),
  'ConvInteger and MatMulInteger': () =>
    between((g, q, s, z) => {
      const seen = g.op('ConvInteger', [q, ints(g, 'uint8', [1, 2, 3, 9, 0, 5], [2, 3, 1, 1]), z, ints(g, 'uint8', [2])]);
      const real = g.op('Mul', [g.op('Cast', [seen], { to: elementType('float32') }), scale(g, 0.001)]);
      const again = g.op('QuantizeLinear', [real, s, z]);
      const product = g.op('MatMulInteger', [again, drawnInts(g, 'n', [4, 2]), z]);
      const [ys, yz] = wider(g);
      return [g.op('QuantizeLinear', [g.op('Mul', [g.op('Cast', [product], { to: 1 }), scale(g, 0.0005)]), ys, yz]), ys, yz];
    }),
  QLinearAdd: () => between((g, q, s, z) => [own(g, 'QLinearAdd', [q, s, z, q, s, z, ...wider(g)]), ...wider(g)]),
  QLinearMul: () => between((g, q, s, z) => [own(g, 'QLinearMul', [q, s, z, q, s, z, ...wider(g)]), ...wider(g)]),
  QLinearConcat: () =>
    between((g, q, s, z) => [own(g, 'QLinearConcat', [...wider(g), q, s, z, q, s, z], { axis: 1 }), ...wider(g)]),
  QLinearSigmoid: () =>
    between((g, q, s, z) => {
      const [ys, yz] = [scale(g, 1 / 256), ints(g, 'uint8', [0])];
      return [own(g, 'QLinearSigmoid', [q, s, z, ys, yz]), ys, yz];
    }),
  QLinearGlobalAveragePool: () =>
    between((g, q, s, z) => [own(g, 'QLinearGlobalAveragePool', [q, s, z, s, z], { channels_last: 0 }), s, z]),
  'QuantizeLinear with a scale per channel': () => {
    const g = graphBuilder({ opset: 21, irVersion: 10 });
    const x = g.input('x', ['N', 3, 4, 4]);
    const [s, z] = [g.constant(f32([0.01, 0.05, 0.2])), ints(g, 'int8', [-5, 0, 9], [3])];
    g.op('DequantizeLinear', [g.op('QuantizeLinear', [x, s, z], { axis: -3 }), s, z], { axis: 1 }, 'y');
    g.untypedOutput('y');
    return { graph: g.build(), x: draw('x', [2, 3, 4, 4], 2) };
  },
  'QuantizeLinear in blocks, int16': () => {
    const g = graphBuilder({ opset: 21, irVersion: 10 });
    const x = g.input('x', [6, 2]);
    const s = g.constant(f32([0.001, 0.1, 0.02, 0.3], [2, 2]));
    const blocks = { axis: 0, block_size: 4 };
    const q = g.op('QuantizeLinear', [x, s], { ...blocks, output_dtype: elementType('int16') });
    g.op('DequantizeLinear', [q, s], blocks, 'y');
    g.untypedOutput('y');
    return { graph: g.build(), x: draw('x', [6, 2], 3) };
  },
  DynamicQuantizeLinear: () => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 5]);
    g.op('DequantizeLinear', g.ops('DynamicQuantizeLinear', [x], 3), {}, 'y');
    g.untypedOutput('y');
    return { graph: g.build(), x: draw('x', [3, 5], 2) };
  },
};

describe('the float32 copy of quantised operators', () => {
  it.each(Object.entries(cases))('%s: the same values, and no integers left', async (_, make) => {
    const { graph, x } = make();
    const { prepared, copy } = await copied(graph);
    const expected = (await runtime.execute(graph, { x })).y!;
    const actual = (await runtime.execute(copy.twin.graph, { x })).y!;
    expect(actual.dims).toEqual(expected.dims);
    const [a, b] = [numbersOf(actual), numbersOf(expected)];
    for (const [i, value] of b.entries()) expect(a[i]).toBeCloseTo(value, 5);
    expect(new Set(b).size).toBeGreaterThan(2);
    expect(prepared.nodes.some((n) => n.op.includes('Quant') || n.op.startsWith('Q') || n.op.endsWith('Integer'))).toBe(true);
    const left = copy.twin.graph.nodes.filter((n) => n.op !== 'DynamicQuantizeLinear').map((n) => n.op);
    expect(left.filter((op) => op.includes('Quant') || op.startsWith('Q') || op.endsWith('Integer'))).toEqual([]);
  });
});

describe('the derivative of rounding', () => {
  const slopes = async (values: readonly number[]): Promise<number[]> => {
    const { graph } = between((_, q, s, z) => [q, s, z], { dims: [1, values.length] });
    const { prepared, copy } = await copied(graph);
    const made = await gradient(prepared, runtime.execute, {
      of: ['y'],
      wrt: ['x'],
      twins: [copy.twin],
      surrogates: copy.surrogates,
    });
    expect(made.cuts).toEqual([]);
    const results = await runtime.execute(made.graph, { x: f32(values, [1, values.length]) });
    expect(numbersOf(results.y!)).toEqual(numbersOf((await runtime.execute(graph, { x: f32(values, [1, values.length]) })).y!));
    return numbersOf(results[made.gradients.x!]!);
  };

  it('is 1 inside the range, its ends included, and 0 where the value saturates', async () => {
    // scale 0.05, zero point 120, 0..255: from -6 to 6.75
    const inside = [0, 0.013, -5.99, -6.02, 6.74, 6.77];
    const outside = [-6.03, -7, 6.78, 100];
    expect(await slopes(inside)).toEqual(inside.map(() => 1));
    expect(await slopes(outside)).toEqual(outside.map(() => 0));
  });

  it('without the stand-in would be nothing at all', async () => {
    const { prepared, copy } = await copied(between((_, q, s, z) => [q, s, z]).graph);
    const made = await gradient(prepared, runtime.execute, { of: ['y'], wrt: ['x'], twins: [copy.twin] });
    expect(made.cuts.map((c) => c.op)).toEqual(['Round']);
  });
});

describe('integers that are constants', () => {
  const weightOnly = (axis: number, scales: Tensor, attributes: Record<string, number>): Graph => {
    const g = graphBuilder({ opset: 21, irVersion: 10 });
    const w = drawnInts(g, 'w', [4, 6]);
    const real = g.op('DequantizeLinear', [w, g.constant(scales)], { axis, ...attributes });
    g.op('MatMul', [g.input('x', ['N', 4]), real], {}, 'y');
    g.output('y', ['N', 6]);
    return g.build();
  };

  it.each([
    ['one scale', weightOnly(1, f32([0.1], []), {})],
    ['a scale per column', weightOnly(1, draw('s', [6]), {})],
    ['a scale per block', weightOnly(0, draw('s', [2, 6]), { block_size: 2 })],
  ])('%s: weights stored as int8 are folded, and need no stand-in', async (_, graph) => {
    const prepared = await prepare(graph, runtime.execute);
    expect(prepared.nodes.map((n) => n.op)).toEqual(['MatMul']);
    expect(await floatCopy(prepared, await inferShapes(prepared, runtime.execute), runtime.execute)).toBeUndefined();
  });

  it('beside quantised data they stay, so that the runtime computes in integers', async () => {
    const g = graphBuilder({ opset: 21, irVersion: 10 });
    const [s, z] = [scale(g, 0.05), ints(g, 'uint8', [120])];
    const x = g.op('DequantizeLinear', [g.op('QuantizeLinear', [g.input('x', ['N', 4]), s, z]), s, z]);
    g.op('MatMul', [x, g.op('DequantizeLinear', [drawnInts(g, 'w', [4, 6]), s])], {}, 'y');
    g.output('y', ['N', 6]);
    const prepared = await prepare(g.build(), runtime.execute);
    expect(prepared.nodes.map((n) => n.op)).toEqual(['QuantizeLinear', 'DequantizeLinear', 'DequantizeLinear', 'MatMul']);
    const copy = await floatCopy(prepared, await inferShapes(prepared, runtime.execute), runtime.execute);
    expect(copy!.twin.graph.nodes.map((n) => n.op)).toEqual(['Div', 'Round', 'Add', 'Clip', 'Sub', 'Mul', 'MatMul']);
  });
});
