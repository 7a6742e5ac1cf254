import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { type Graph, producersOf } from '../../../../src/core/onnx/graph.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { execute, normalFeeds, runtime } from './compare.ts';

/** x [N, 2, 3] transposed, padded along one axis, transposed back: what the runtime's optimiser gets wrong. */
function padded(...value: readonly number[]): Graph {
  const g = graphBuilder();
  const turned = g.op('Transpose', [g.input('x', ['N', 2, 3])], { perm: [0, 2, 1] });
  const pads = [turned, g.ints([1, 2]), value.length === 0 ? '' : g.number(value[0]!), g.ints([-2])];
  g.output(g.op('Transpose', [g.op('Pad', pads)], { perm: [0, 2, 1] }, 'y'), ['N', 2, null]);
  return g.build();
}

describe('Pad with axes', () => {
  it.each([['zeros', padded()] as const, ['a value', padded(7)] as const])(
    'is written out for all axes: %s',
    async (_name, graph) => {
      const prepared = await prepare(graph, execute);
      const pad = prepared.nodes.find((n) => n.op === 'Pad')!;
      expect(numbersOf(prepared.initializers.get(pad.inputs[1]!)!)).toEqual([0, 1, 0, 0, 2, 0]);
      expect(pad.inputs[3] ?? '').toBe('');
      expect(producersOf(prepared).get('y')!.op).toBe('Transpose');
      const feeds = normalFeeds(graph);
      const session = await runtime.open(prepared);
      try {
        expect((await session.run(feeds)).y).toEqual((await execute(graph, feeds)).y);
      } finally {
        await session.release();
      }
    },
  );
});
