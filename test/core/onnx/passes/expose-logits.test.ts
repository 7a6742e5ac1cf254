import { describe, expect, it } from 'vitest';
import { type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { logitsOf } from '../../../../src/core/onnx/passes/expose-logits.ts';
import { numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { execute, normal, throughFile } from './compare.ts';

function graphOf(write: (g: GraphBuilder, x: string) => void): Graph {
  const g = graphBuilder();
  const x = g.op('Gemm', [g.input('x', ['N', 4]), g.constant(normal([4, 3], 'w'))]);
  write(g, x);
  g.output('y', ['N', 3]);
  return throughFile(g.build());
}

const softmax = (logits: readonly number[]): number[] => {
  const e = logits.map((v) => Math.exp(v - Math.max(...logits)));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

describe('logitsOf', () => {
  const ends: Record<string, Graph> = {
    Softmax: graphOf((g, x) => g.op('Softmax', [x], { axis: -1 }, 'y')),
    'Softmax and Identity': graphOf((g, x) => g.op('Identity', [g.op('Softmax', [x], { axis: 1 })], {}, 'y')),
    'Softmax over an image of one pixel, squeezed': graphOf((g, x) => {
      const image = g.op('Unsqueeze', [x, g.ints([2, 3])]);
      g.op('Squeeze', [g.op('Softmax', [image], { axis: 1 }), g.ints([2, 3])], {}, 'y');
    }),
    'Softmax, Flatten and Reshape': graphOf((g, x) => {
      g.op('Reshape', [g.op('Flatten', [g.op('Softmax', [x])]), g.ints([-1, 3])], {}, 'y');
    }),
  };
  for (const [name, graph] of Object.entries(ends)) {
    it(`finds what enters ${name}, in the shape of the output`, async () => {
      const { graph: exposed, logits, kind } = logitsOf(graph, 'y');
      expect(kind).toBe('softmax');
      expect(exposed.outputs.map((v) => v.name)).toEqual(['y', logits]);
      const results = await execute(throughFile(exposed), { x: normal([1, 4], 'x') });
      expect(results[logits]!.dims).toEqual([1, 3]);
      const want = softmax(numbersOf(results[logits]!));
      for (const [i, p] of numbersOf(results.y!).entries()) expect(p).toBeCloseTo(want[i]!, 6);
    });
  }

  it('finds what enters a Sigmoid', async () => {
    const { graph, logits, kind } = logitsOf(
      graphOf((g, x) => g.op('Sigmoid', [x], {}, 'y')),
      'y',
    );
    expect(kind).toBe('sigmoid');
    const results = await execute(graph, { x: normal([1, 4], 'x') });
    const want = numbersOf(results[logits]!).map((v) => 1 / (1 + Math.exp(-v)));
    for (const [i, p] of numbersOf(results.y!).entries()) expect(p).toBeCloseTo(want[i]!, 6);
  });

  it('adds no output where the logits are one already, or the softmax acts on an input', async () => {
    const both = graphOf((g, x) => {
      g.op('Softmax', [x], {}, 'y');
      g.untypedOutput(x);
    });
    const { graph, logits } = logitsOf(both, 'y');
    expect(graph.outputs).toHaveLength(2);
    expect(graph.outputs.map((v) => v.name)).toContain(logits);
    const g = graphBuilder();
    g.op('Softmax', [g.input('x', ['N', 4])], {}, 'y');
    g.output('y', ['N', 4]);
    const direct = logitsOf(g.build(), 'y');
    const x = normal([2, 4], 'x');
    expect((await execute(direct.graph, { x }))[direct.logits]!.data).toEqual(x.data);
  });

  it('takes the output itself where nothing is to be undone', () => {
    for (const op of ['Relu', 'LogSoftmax']) {
      const graph = graphOf((g, x) => g.op(op, [x], {}, 'y'));
      expect(logitsOf(graph, 'y')).toEqual({ graph, logits: 'y', kind: 'none' });
    }
    expect(() => logitsOf(ends.Softmax!, 'z')).toThrow('no output "z"');
  });
});
