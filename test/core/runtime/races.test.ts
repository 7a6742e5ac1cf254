import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { racesWithThreads } from '../../../src/core/runtime/races.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64, numbersOf } from '../../../src/core/tensor/tensor.ts';

/** Rows of u added to (or put in) the places i of ten rows of zeros. */
function scattered(indices: readonly number[] | undefined, reduction: 'add' | 'none' = 'add'): Graph {
  const g = graphBuilder();
  const u = g.input('u', ['M', 3]);
  const at = indices === undefined ? g.input('i', ['M', 1], 'int64') : g.constant(i64(indices, [indices.length, 1]));
  const zeros = g.constant(f32(new Float32Array(30), [10, 3]));
  g.output(g.op('ScatterND', [zeros, at, u], { reduction }, 'y'), [10, 3]);
  return g.build();
}

describe('racesWithThreads', () => {
  it.each([
    ['places that are fed', scattered(undefined), true],
    ['a place met twice', scattered([3, 4, 3]), true],
    ['a place that may be another one, counted from the end', scattered([3, -7]), true],
    ['places met once', scattered([3, 4, 0]), false],
    ['no reduction', scattered(undefined, 'none'), false],
  ])('%s', (_name, graph, races) => expect(racesWithThreads(graph)).toBe(races));
});

it('loses no update, though more threads are allowed', async () => {
  const count = 400_000;
  const session = await createRuntime(ort, { threads: 2 }).open(scattered(undefined));
  const feeds = {
    u: f32(new Float32Array(3 * count).fill(1), [count, 3]),
    i: i64(
      Array.from({ length: count }, (_, k) => k % 10),
      [count, 1],
    ),
  };
  for (let run = 0; run < 5; run++) expect(new Set(numbersOf((await session.run(feeds)).y!))).toEqual(new Set([count / 10]));
  await session.release();
});
