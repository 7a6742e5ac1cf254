import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/core/errors.ts';
import { type AttributeInput, float, floats, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Dim, Graph } from '../../../../src/core/onnx/graph.ts';
import { opsetOf } from '../../../../src/core/onnx/graph.ts';
import { upgrade } from '../../../../src/core/onnx/passes/upgrade.ts';
import { f32, i64, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf, throughFile } from './compare.ts';

interface Case {
  op: string;
  opset: number;
  dims: readonly Dim[];
  attrs?: Record<string, AttributeInput>;
  constants?: readonly Tensor[];
  outputs?: number;
}

function graphOf({ op, opset, dims, attrs = {}, constants = [], outputs = 1 }: Case): Graph {
  const g = graphBuilder({ opset, irVersion: 8 });
  const x = g.input('x', dims);
  const values = constants.map((c) => g.constant(c));
  const made = g.ops(op, [x, ...values], outputs, attrs);
  for (const name of made) g.untypedOutput(name);
  return throughFile(g.build());
}

const image: readonly Dim[] = [2, 3, 4, 5];
const reduced = [
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
  'ReduceSum',
];

const cases: readonly Case[] = [
  { op: 'Clip', opset: 7, dims: image, attrs: { min: float(-0.5), max: float(0.25) } },
  { op: 'Clip', opset: 9, dims: image, attrs: { max: float(0.25) } },
  { op: 'Clip', opset: 11, dims: image, constants: [f32([-0.5], [])] },
  { op: 'Pad', opset: 7, dims: image, attrs: { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: float(1.5) } },
  { op: 'Pad', opset: 9, dims: image, attrs: { pads: [0, 0, 1, 2, 0, 0, 3, 0], mode: 'reflect' } },
  { op: 'Slice', opset: 9, dims: image, attrs: { starts: [0, 1], ends: [2 ** 63, -1], axes: [1, 3] } },
  { op: 'Slice', opset: 7, dims: image, attrs: { starts: [0, 1], ends: [1, 3] } },
  { op: 'Squeeze', opset: 9, dims: [1, 3, 1, 2], attrs: { axes: [0, 2] } },
  { op: 'Squeeze', opset: 11, dims: [1, 3, 1, 2] },
  { op: 'Unsqueeze', opset: 11, dims: [3, 2], attrs: { axes: [0, -1] } },
  { op: 'Split', opset: 11, dims: [2, 6], attrs: { axis: 1, split: [1, 2, 3] }, outputs: 3 },
  { op: 'Split', opset: 9, dims: [2, 6], attrs: { axis: -1 }, outputs: 3 },
  { op: 'Split', opset: 13, dims: [2, 6], attrs: { axis: 1 }, outputs: 2 },
  { op: 'Split', opset: 13, dims: [2, 6], attrs: { axis: 1 }, constants: [i64([2, 4])], outputs: 2 },
  { op: 'TopK', opset: 9, dims: [2, 6], attrs: { k: 3, axis: 1 }, outputs: 2 },
  { op: 'Dropout', opset: 10, dims: [2, 6], attrs: { ratio: float(0.3) }, outputs: 2 },
  { op: 'Dropout', opset: 7, dims: [2, 6] },
  { op: 'Upsample', opset: 7, dims: image, attrs: { mode: 'nearest', scales: floats([1, 1, 2, 3]) } },
  { op: 'Upsample', opset: 9, dims: image, attrs: { mode: 'linear' }, constants: [f32([1, 1, 2, 1.5])] },
  { op: 'Resize', opset: 10, dims: image, attrs: { mode: 'nearest' }, constants: [f32([1, 1, 0.6, 1.7])] },
  { op: 'Resize', opset: 10, dims: image, attrs: { mode: 'nearest' }, constants: [f32([1, 1, 2, 3])] },
  { op: 'Resize', opset: 10, dims: image, attrs: { mode: 'nearest' }, constants: [f32([1, 1, 0.6, 0.5])] },
  { op: 'Resize', opset: 10, dims: image, attrs: { mode: 'linear' }, constants: [f32([1, 1, 2, 1.7])] },
  { op: 'Resize', opset: 11, dims: image, attrs: { mode: 'linear' }, constants: [f32([]), f32([]), i64([2, 3, 7, 9])] },
  {
    op: 'Resize',
    opset: 11,
    dims: image,
    attrs: { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
    constants: [f32([]), f32([1, 1, 2.5, 1.3])],
  },
  {
    op: 'BatchNormalization',
    opset: 9,
    dims: image,
    constants: [normal([3], 's'), normal([3], 'b'), normal([3], 'm'), f32([0.5, 1, 2])],
  },
  {
    op: 'RoiAlign',
    opset: 11,
    dims: [1, 3, 8, 8],
    attrs: { output_height: 2, output_width: 2 },
    constants: [f32([1, 1, 5, 6], [1, 4]), i64([0])],
  },
  { op: 'ScatterElements', opset: 11, dims: [2, 3], constants: [i64([1, 0, 1], [1, 3]), f32([5, 6, 7], [1, 3])] },
  ...reduced.map((op) => ({ op, opset: 12, dims: image, attrs: { axes: [1, -1], keepdims: 0 } })),
  { op: 'ReduceMean', opset: 13, dims: image },
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op) => [
    { op, opset: 9, dims: [2, 6] },
    { op, opset: 9, dims: image },
    { op, opset: 11, dims: image, attrs: { axis: -2 } },
    { op, opset: 11, dims: image, attrs: { axis: 3 } },
    { op, opset: 11, dims: [2, 6, 1, 1] },
    { op, opset: 11, dims: image, attrs: { axis: 0 } },
  ]),
];

describe('upgrade', () => {
  for (const c of cases) {
    it(`${c.op} of opset ${c.opset} ${JSON.stringify(c.attrs ?? {})} ${c.dims} computes the same in opset 18`, async () => {
      const before = graphOf(c);
      const after = upgrade(before);
      expect(opsetOf(after)).toBe(18);
      expect(await difference(before, throughFile(after), normalFeeds(before))).toBe(0);
    });
  }

  it('writes Softmax along one axis where the coerced rows are that axis', () => {
    expect(opsOf(upgrade(graphOf({ op: 'Softmax', opset: 9, dims: [2, 6] })))).toEqual(['Softmax']);
    expect(opsOf(upgrade(graphOf({ op: 'Softmax', opset: 9, dims: ['N', 6, 1, 1] })))).toEqual(['Softmax']);
    expect(opsOf(upgrade(graphOf({ op: 'Softmax', opset: 9, dims: image })))).toEqual(['Flatten', 'Softmax', 'Shape', 'Reshape']);
  });

  it('gives per-position statistics (spatial = 0) their closed form', async () => {
    const g = graphBuilder({ opset: 7 });
    const parts = ['scale', 'bias', 'mean'].map((n) => g.constant(normal([2, 3], n)));
    const variance = g.constant(f32([0.5, 1, 2, 3, 4, 5], [2, 3]));
    g.op('BatchNormalization', [g.input('x', [1, 2, 3]), ...parts, variance], { spatial: 0, epsilon: float(0.5) }, 'y');
    g.untypedOutput('y');
    const x = normal([1, 2, 3], 'x');
    const { y } = await execute(upgrade(g.build()), { x });
    const [s, b, m] = ['scale', 'bias', 'mean'].map((n) => normal([2, 3], n).data) as [Float32Array, Float32Array, Float32Array];
    const want = [0.5, 1, 2, 3, 4, 5].map((v, i) => ((x.data[i]! - m[i]!) / Math.sqrt(v + 0.5)) * s[i]! + b[i]!);
    for (const [i, v] of want.entries()) expect((y!.data as Float32Array)[i]).toBeCloseTo(v, 5);
  });

  it('reads ConstantFill as ConstantOfShape', async () => {
    const g = graphBuilder({ opset: 8 });
    g.op('ConstantFill', [g.input('x', [2, 3])], { value: float(1.5), extra_shape: [2] }, 'y');
    g.untypedOutput('y');
    const { y } = await execute(upgrade(g.build()), { x: normal([2, 3], 'x') });
    expect(y).toMatchObject({ dims: [2, 3, 2], data: new Float32Array(12).fill(1.5) });
  });

  it('converts inside the bodies of If', async () => {
    const body = (min: number): Graph => {
      const b = graphBuilder({ opset: 9 });
      b.op('Clip', ['x'], { min: float(min) }, `y${min}`);
      b.untypedOutput(`y${min}`);
      return { ...b.build(), opsets: new Map() };
    };
    const g = graphBuilder({ opset: 9 });
    g.input('x', [4]);
    g.input('c', [], 'bool');
    const graphs = { then_branch: { type: 'graph', value: body(0) }, else_branch: { type: 'graph', value: body(-1) } } as const;
    g.op('If', ['c'], graphs, 'y');
    g.untypedOutput('y');
    const after = throughFile(upgrade(throughFile(g.build())));
    const x = f32([-2, -0.5, 0, 1]);
    const run = async (c: number) =>
      (await execute(after, { x, c: { dtype: 'bool', dims: [], data: Uint8Array.of(c) } })).y!.data;
    expect([...(await run(1))]).toEqual([0, 0, 0, 1]);
    expect([...(await run(0))]).toEqual([-1, -0.5, 0, 1]);
  });

  it('names the version and a remedy for opsets it cannot read', () => {
    for (const opset of [6, 27]) {
      const graph = graphOf({ op: 'Relu', opset, dims: [2] });
      expect(() => upgrade(graph)).toThrow(UserError);
      expect(() => upgrade(graph)).toThrow(`opset ${opset}`);
    }
    const legacy = graphOf({ op: 'Add', opset: 7, dims: [2, 3], attrs: { broadcast: 1, axis: 0 }, constants: [f32([1, 2])] });
    expect(() => upgrade(legacy)).toThrow(/Add .*broadcast/);
  });

  it('refuses a BatchNormalization whose batch statistics are used, and drops unused ones', () => {
    const bn = (used: boolean): Graph => {
      const g = graphBuilder({ opset: 9 });
      const parts = ['scale', 'bias', 'mean', 'var'].map((n) => g.constant(f32([1, 1, 1]), n));
      g.ops('BatchNormalization', [g.input('x', image), ...parts], ['y', 'm', 'v', 'sm', 'sv'], {});
      g.untypedOutput('y');
      if (used) g.untypedOutput('m');
      return g.build();
    };
    expect(() => upgrade(bn(true))).toThrow(/training mode/);
    expect(upgrade(bn(false)).nodes[0]!.outputs).toEqual(['y']);
  });

  it('leaves opset 18 and newer as it is', () => {
    for (const opset of [18, 26]) {
      const graph = graphOf({ op: 'Relu', opset, dims: [2] });
      expect(upgrade(graph)).toBe(graph);
    }
  });
});
