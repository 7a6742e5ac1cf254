import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/core/errors.ts';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { bindDims } from '../../../../src/core/onnx/passes/bind-dims.ts';
import { execute, normalFeeds, throughFile } from './compare.ts';

function open(): Graph {
  const g = graphBuilder();
  g.op('Add', [g.op('Relu', [g.input('x', ['batch', 'time', 3])], {}, 'h'), g.input('z', ['batch', null, 3])], {}, 'y');
  g.output('y', ['batch', 'time', 3]);
  return { ...g.build(), values: new Map([['h', { name: 'h', dtype: 'float32', dims: ['batch', 'time', 3] }]]) };
}

describe('bindDims', () => {
  it('fixes sizes, carries them through the signature and drops stale types', async () => {
    const bound = bindDims(open(), { x: ['N', 5, 3], z: ['N', 5, 3] });
    expect(bound.inputs.map((v) => v.dims)).toEqual([
      ['N', 5, 3],
      ['N', 5, 3],
    ]);
    expect(bound.outputs[0]!.dims).toEqual(['N', 5, 3]);
    expect(bound.values.size).toBe(0);
    expect((await execute(throughFile(bound), normalFeeds(bound))).y!.dims).toEqual([2, 5, 3]);
  });

  it('binds a symbol in inputs that are not named', () => {
    expect(bindDims(open(), { x: ['N', 5, 3] }).inputs[1]!.dims).toEqual(['N', null, 3]);
  });

  it.each<[string, Record<string, (number | string)[]>, RegExp]>([
    ['an input that is not there', { X: ['N', 5, 3] }, /no input "X"/],
    ['a wrong rank', { x: ['N', 5] }, /"x".*it has 3 axes/],
    ['a size the file fixes otherwise', { x: ['N', 5, 4] }, /"x".*fixes axis 2 at 3/],
    ['a size that is none', { x: ['N', 0, 3] }, /"x".*0 is no size/],
    ['one symbol with two sizes', { x: [2, 5, 3], z: [4, 5, 3] }, /"z".*"batch" is 2 already/],
  ])('refuses %s', (_, binding, message) => {
    expect(() => bindDims(open(), binding)).toThrow(UserError);
    expect(() => bindDims(open(), binding)).toThrow(message);
  });
});
