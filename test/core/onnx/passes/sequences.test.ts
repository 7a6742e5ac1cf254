import { describe, expect, it } from 'vitest';
import { type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { i64, scalar } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normalFeeds, opsOf } from './compare.ts';

const ofSequence = (ops: readonly string[]): string[] => ops.filter((op) => /Sequence/.test(op));

/** Writes y from x [N, 5, 4]. */
function graphOf(write: (g: GraphBuilder, x: string) => string): Graph {
  const g = graphBuilder();
  const y = write(g, g.input('x', ['N', 5, 4]));
  g.op('Identity', [y], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

const at = (g: GraphBuilder, sequence: string, position: number): string =>
  g.op('SequenceAt', [sequence, g.constant(i64([position], []))]);

const cases: Record<string, Graph> = {
  'a member of a split by sizes': graphOf((g, x) => at(g, g.op('SplitToSequence', [x, g.ints([2, 3])], { axis: 1 }), 1)),
  'a member of a split by one size, the last part smaller': graphOf((g, x) =>
    at(g, g.op('SplitToSequence', [x, g.constant(i64([2], []))], { axis: 1 }), -1),
  ),
  'a member of a split into single elements, the axis dropped': graphOf((g, x) =>
    at(g, g.op('SplitToSequence', [x], { axis: -1, keepdims: 0 }), 2),
  ),
  'members inserted, erased, and joined along a new axis': graphOf((g, x) => {
    const [a, b, c] = [g.op('Relu', [x]), g.op('Tanh', [x]), g.op('Neg', [x])];
    const first = g.op('SequenceInsert', [g.op('SequenceEmpty', []), a]);
    const two = g.op('SequenceInsert', [first, b, g.constant(i64([0], []))]);
    const three = g.op('SequenceInsert', [two, c, g.constant(i64([-1], []))]);
    return g.op('ConcatFromSequence', [g.op('SequenceErase', [three, g.constant(i64([-1], []))])], { axis: 1, new_axis: 1 });
  }),
  'parts joined again along their axis': graphOf((g, x) =>
    g.op('ConcatFromSequence', [g.op('SequenceConstruct', [g.op('Relu', [x]), x])], { axis: 2 }),
  ),
  'a length': graphOf((g, x) =>
    g.op('Mul', [
      x,
      g.op('Cast', [g.op('SequenceLength', [g.op('SplitToSequence', [x, g.ints([1, 1, 3])], { axis: 1 })])], { to: 1 }),
    ]),
  ),
  'what a loop of fixed length collects, its counter declared as a list': graphOf((g, x) => {
    const body = g.body('turn');
    const counter = body.input('counter', [1], 'int64');
    body.input('go', [], 'bool');
    body.input('collected', [], 'float32');
    const end = body.op('Add', [counter, body.constant(i64([1]))]);
    const part = body.op('Slice', [x, counter, end, body.constant(i64([1]))]);
    body.output(body.op('Identity', ['go'], {}, 'still'), [], 'bool');
    body.untypedOutput(body.op('SequenceInsert', ['collected', part], {}, 'longer'));
    const inner = body.build();
    const turn: Graph = {
      ...inner,
      inputs: inner.inputs.map((v) => (v.name === 'collected' ? { ...v, dtype: undefined, dims: undefined } : v)),
    };
    const go = g.constant({ dtype: 'bool', dims: [], data: Uint8Array.of(1) });
    const collected = g.op('Loop', [g.constant(i64([3], [])), go, g.op('SequenceEmpty', [])], {
      body: { type: 'graph', value: turn },
    });
    return g.op('ConcatFromSequence', [collected], { axis: 1 });
  }),
};

describe('sequences whose members are known', () => {
  const withoutLoop = Object.entries(cases).filter(([name]) => !name.includes('loop'));
  it.each(withoutLoop)('%s: the same result without sequences', async (_name, graph) => {
    expect(ofSequence(opsOf(graph))).not.toEqual([]);
    const prepared = await prepare(graph, execute);
    expect(ofSequence(opsOf(prepared))).toEqual([]);
    expect(await difference(graph, prepared, normalFeeds(graph))).toBe(0);
  });

  it('what a loop of fixed length collects: no loop and no sequence is left', async () => {
    const graph = cases['what a loop of fixed length collects, its counter declared as a list']!;
    const prepared = await prepare(graph, execute);
    expect(opsOf(prepared).filter((op) => op === 'Loop' || op.includes('Sequence'))).toEqual([]);
    const x = normalFeeds(graph).x!;
    const { y } = await execute(prepared, { x });
    expect(y!.dims).toEqual([2, 3, 4]);
    expect(Array.from(y!.data as Float32Array).slice(0, 12)).toEqual(Array.from(x.data as Float32Array).slice(0, 12));
  });

  it('a member whose position is computed stays with its sequence', async () => {
    const graph = graphOf((g, x) => {
      const position = g.op('Cast', [g.op('ReduceMax', [x], { keepdims: 0 })], { to: 7 });
      const bounded = g.op('Mod', [position, g.constant(i64([1], []))]);
      return g.op('SequenceAt', [g.op('SequenceConstruct', [x, g.op('Mul', [x, g.constant(scalar(2))])]), bounded]);
    });
    await expect(prepare(graph, execute).then(opsOf)).resolves.toContain('SequenceAt');
  });

  it('a split whose members are not known leaves the shapes of all tensors known', async () => {
    const graph = graphOf((g, x) => {
      const parts = g.op('SplitToSequence', [x], { axis: 1 });
      const position = g.op('Mod', [
        g.op('Cast', [g.op('ReduceMax', [x], { keepdims: 0 })], { to: 7 }),
        g.constant(i64([5], [])),
      ]);
      return g.op('SequenceAt', [g.op('Identity', [parts]), position]);
    });
    const prepared = await prepare(graph, execute);
    const shapes = await inferShapes(prepared, execute);
    expect(shapes.get('y')!.dims).toEqual([null, 1, 4]);
    expect(prepared.nodes.find((n) => n.op === 'SplitToSequence')!.outputs.filter((o) => shapes.has(o))).toEqual([]);
  });
});
