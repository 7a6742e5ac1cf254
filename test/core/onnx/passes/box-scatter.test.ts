import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { boxScatters } from '../../../../src/core/onnx/passes/box-scatter.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { i64 } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf } from './compare.ts';

/** Indices [counts..., axes] of the box that starts at `starts`. */
function box(starts: readonly number[], counts: readonly number[]) {
  const rows = counts.reduce<number[][]>(
    (list, n) => list.flatMap((row) => Array.from({ length: n }, (_, i) => [...row, i])),
    [[]],
  );
  return i64(
    rows.flatMap((row) => row.map((v, axis) => starts[axis]! + v)),
    [...counts, starts.length],
  );
}

/** y = data with `part` of these sizes written to the indices. */
function scattered(
  data: readonly (number | 'N')[],
  indices: ReturnType<typeof box>,
  part: readonly (number | 'N')[],
  reduction = 'none',
): Graph {
  const g = graphBuilder();
  const inputs = [g.input('data', data), g.constant(indices), g.input('part', part)];
  g.output(g.op('ScatterND', inputs, { reduction }, 'y'), data);
  return g.build();
}

async function joined(graph: Graph): Promise<Graph> {
  return boxScatters(graph, await inferShapes(graph, execute));
}

describe('boxScatters', () => {
  const cases: Record<string, Graph> = {
    'the beginning of the first axis, others open': scattered([5, 'N', 3], box([0], [2]), [2, 'N', 3]),
    'the middle of the first axis': scattered([5, 2], box([1], [3]), [3, 2]),
    'a corner of two axes': scattered([4, 6, 2], box([1, 2], [3, 4]), [3, 4, 2]),
    'the inside of three axes': scattered([4, 5, 6], box([1, 1, 2], [2, 3, 2]), [2, 3, 2]),
    'the whole of it': scattered([2, 3], box([0, 0], [2, 3]), [2, 3]),
  };
  it.each(Object.entries(cases))('joins slices for %s, to the same bits', async (_name, graph) => {
    const after = await joined(graph);
    expect(opsOf(after)).not.toContain('ScatterND');
    expect(await difference(graph, after, normalFeeds(graph))).toBe(0);
  });

  const kept: Record<string, Graph> = {
    'a box whose axis is open': scattered(['N', 3], box([0], [2]), [2, 3]),
    'positions out of order': scattered([4, 3], i64([1, 0], [2, 1]), [2, 3]),
    'positions with a gap': scattered([4, 3], i64([0, 2], [2, 1]), [2, 3]),
    'fewer axes of indices than of coordinates': scattered([4, 3], i64([1, 2, 3, 0], [2, 2]), [2]),
    'sums instead of writing over': scattered([4, 3], box([0], [2]), [2, 3], 'add'),
  };
  it.each(Object.entries(kept))('leaves %s', async (_name, graph) => {
    expect(opsOf(await joined(graph))).toEqual(['ScatterND']);
  });

  it('leaves indices that are computed', async () => {
    const g = graphBuilder();
    const at = g.op('Cast', [g.input('at', [1, 1])], { to: 7 });
    g.output(g.op('ScatterND', [g.constant(normal([4, 2], 'data')), at, g.input('part', [1, 2])], {}, 'y'), [4, 2]);
    expect(opsOf(await joined(g.build()))).toContain('ScatterND');
  });
});
