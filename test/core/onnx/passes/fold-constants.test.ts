import { describe, expect, it } from 'vitest';
import { float, type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Attribute, Graph } from '../../../../src/core/onnx/graph.ts';
import { constantsToInitializers } from '../../../../src/core/onnx/passes/constants.ts';
import { foldConstants, foldSizes } from '../../../../src/core/onnx/passes/fold-constants.ts';
import { f32, i64, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normalFeeds, opsOf, throughFile } from './compare.ts';

function graphOf(dims: readonly (number | string)[], write: (g: GraphBuilder, x: string) => string, opset = 18): Graph {
  const g = graphBuilder({ opset });
  g.op('Identity', [write(g, g.input('x', dims))], {}, 'y');
  g.untypedOutput('y');
  return throughFile(g.build());
}

describe('constantsToInitializers', () => {
  it('holds every way of writing a constant', async () => {
    const attributes: Record<string, Attribute> = {
      value: { type: 'tensor', value: f32([1, 2], [2, 1]) },
      value_float: { type: 'float', value: 1.5 },
      value_floats: { type: 'floats', value: [1, 2] },
      value_int: { type: 'int', value: 7 },
      value_ints: { type: 'ints', value: [7, 2 ** 63] },
    };
    for (const [name, attribute] of Object.entries(attributes)) {
      const g = graphBuilder();
      g.op('Constant', [], { [name]: attribute }, 'c');
      g.op('Identity', ['c'], {}, 'y');
      g.untypedOutput('y');
      const before = throughFile(g.build());
      const after = throughFile(constantsToInitializers(before));
      expect(opsOf(after)).toEqual(['Identity']);
      expect((await execute(after, {})).y).toEqual((await execute(before, {})).y);
    }
  });

  it('reaches into bodies, and leaves a constant that is itself a result', () => {
    const body = graphBuilder();
    body.op('Add', ['x', body.op('Constant', [], { value_float: float(1) })], {}, 'z');
    body.untypedOutput('z');
    const constant = graphBuilder();
    constant.op('Constant', [], { value_float: float(1) }, 'z');
    constant.untypedOutput('z');
    const g = graphBuilder();
    const branches = { then_branch: body.build(), else_branch: constant.build() };
    g.input('x', []);
    const attrs = Object.fromEntries(Object.entries(branches).map(([k, value]) => [k, { type: 'graph', value } as const]));
    g.op('If', [g.input('c', [], 'bool')], attrs, 'y');
    g.untypedOutput('y');
    const [node] = constantsToInitializers(g.build()).nodes;
    const opsIn = (name: string) => {
      const a = node!.attributes.get(name);
      return a?.type === 'graph' ? opsOf(a.value) : [];
    };
    expect(opsIn('then_branch')).toEqual(['Add']);
    expect(opsIn('else_branch')).toEqual(['Constant']);
  });
});

describe('foldConstants', () => {
  it('evaluates chains of constants in one run, and what they fed stays equal', async () => {
    const graph = graphOf(['N', 3], (g, x) => {
      const weights = g.op('ConstantOfShape', [g.ints([3, 3])], { value: f32([0.5]) });
      const shifted = g.op('Add', [weights, g.op('Sqrt', [g.number(2)])]);
      const [a] = g.ops('Split', [shifted, g.ints([2, 1])], 2, { axis: 1 });
      return g.op('MatMul', [x, a!]);
    });
    let runs = 0;
    const after = await foldConstants(graph, (...args) => {
      runs++;
      return execute(...args);
    });
    expect(runs).toBe(1);
    expect(opsOf(after)).toEqual(['MatMul', 'Identity']);
    expect(await difference(graph, after, normalFeeds(graph))).toBe(0);
    expect(await foldConstants(after, execute)).toBe(after);
  });

  it('leaves random nodes, results, and values above the limit unless they are weights', async () => {
    const random = graphOf([3], (g, x) => g.op('Add', [x, g.op('RandomNormalLike', [g.constant(f32([1, 2, 3]))])]));
    expect(opsOf(await foldConstants(random, execute))).toContain('RandomNormalLike');
    const big = (op: 'Add' | 'MatMul') =>
      graphOf([64, 64], (g, x) => g.op(op, [x, g.op('ConstantOfShape', [g.ints([64, 64])], { value: f32([2]) })]));
    const limit = { maxBytes: 64 * 64 * 4 - 1 };
    expect(opsOf(await foldConstants(big('Add'), execute, limit))).toContain('ConstantOfShape');
    expect(opsOf(await foldConstants(big('MatMul'), execute, limit))).not.toContain('ConstantOfShape');
    const g = graphBuilder();
    g.op('Neg', [g.number(1)], {}, 'y');
    g.untypedOutput('y');
    expect(opsOf(await foldConstants(g.build(), execute))).toEqual(['Neg']);
  });

  it('keeps a value that only a branch reads', async () => {
    const body = (name: string): Attribute => {
      const b = graphBuilder();
      b.op('Mul', ['x', 'factor'], {}, name);
      b.untypedOutput(name);
      return { type: 'graph', value: b.build() };
    };
    const g = graphBuilder();
    g.input('x', [2]);
    g.op('Sqrt', [g.number(4)], {}, 'factor');
    g.op('If', [g.input('c', [], 'bool')], { then_branch: body('a'), else_branch: body('b') }, 'y');
    g.untypedOutput('y');
    const after = await foldConstants(throughFile(g.build()), execute);
    expect(opsOf(after)).toEqual(['If']);
    const { y } = await execute(throughFile(after), { x: f32([1, 2]), c: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } });
    expect(numbersOf(y!)).toEqual([2, 4]);
  });
});

describe('foldSizes', () => {
  const flatten = (g: GraphBuilder, x: string): string => {
    const size = (axis: number) => g.op('Gather', [g.op('Shape', [x]), g.ints([axis])], { axis: 0 });
    const rows = g.op('Mul', [size(1), size(2)]);
    return g.op('Reshape', [g.op('Relu', [x]), g.op('Concat', [size(0), rows], { axis: 0 })]);
  };

  it('folds sizes that do not change with the batch, and keeps the batch', async () => {
    const graph = graphOf(['N', 3, 4], flatten);
    const after = await foldSizes(graph, execute);
    expect(opsOf(after)).toEqual(['Relu', 'Shape', 'Gather', 'Concat', 'Reshape', 'Identity']);
    expect([...after.initializers.values()]).toContainEqual(i64([12]));
    for (const batch of [1, 5]) expect(await difference(graph, after, normalFeeds(graph, batch))).toBe(0);
  });

  it('folds every size of a fixed graph only when asked to', async () => {
    const graph = graphOf([2, 3, 4], flatten);
    expect(await foldSizes(graph, execute)).toBe(graph);
    expect(opsOf(await foldSizes(graph, execute, { fixed: true }))).toEqual(['Relu', 'Reshape', 'Identity']);
  });

  it('does not take data for sizes', async () => {
    const graph = graphOf(['N', 3], (g, x) => g.op('Cast', [g.op('NonZero', [x])], { to: 1 }));
    expect(await foldSizes(graph, execute)).toBe(graph);
  });
});
