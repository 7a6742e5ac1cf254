import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { drivenByData } from '../../../src/core/onnx/passes/control-flow/data-driven.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { findCoupling } from '../../../src/kit/model/find-coupling.ts';
import type { Manifest } from '../../../src/kit/model/manifest.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { features, perceptron } from './toys.ts';

const runtime = createRuntime(ort);
const exported = (kind: string): Graph =>
  readModel(new Uint8Array(readFileSync(new URL(`../../fixtures/torch-exports/control-flow-${kind}.onnx`, import.meta.url))));
const open = (kind: string, manifest: Manifest = {}) =>
  openModel(exported(kind), { name: kind, sha256: kind, execute: runtime.execute, manifest });

/** Whether the sum of `read` (a value of x, or of its shape) is above 0 decides between x and -x. */
function branching(read: 'Abs' | 'Shape', reads = 'x'): Graph {
  const g = graphBuilder();
  const x = g.input('x', ['N', 3]);
  g.input('shared', [3]);
  const cast = g.op('Cast', [g.op(read, [reads])], { to: 1 });
  const condition = g.op('Greater', [g.op('ReduceSum', [cast], { keepdims: 0 }), g.number(7)]);
  const branch = (op: string) => {
    const b = graphBuilder({ name: op });
    b.op(op, [x], {}, `${op}_of_x`);
    b.output(`${op}_of_x`, ['N', 3]);
    return { type: 'graph', value: b.build() } as const;
  };
  g.op('If', [condition], { then_branch: branch('Identity'), else_branch: branch('Neg') }, 'y');
  g.output('y', ['N', 3]);
  return g.build();
}

describe('control flow whose course the batch decides', () => {
  // the first two take the same branch beside most neighbours: exchanging some shows nothing
  it.each([
    ['cond', 'If'],
    ['scripted-for-fixed', 'If'],
    ['while', 'Loop'],
    ['scripted-while', 'Loop'],
  ])('%s couples it, and is named', async (kind, op) => {
    const model = await open(kind);
    expect(model.coupling).toBe('batch');
    expect(
      model.inferred.filter((s) => s.startsWith(`the course of ${op} "`) && s.includes('the batch is coupled')),
    ).toHaveLength(1);
  });

  it('the manifest knows better', async () => {
    expect((await open('cond', { coupling: 'none' })).coupling).toBe('none');
  });

  it('a fixed course, sizes, and inputs all samples share couple nothing', async () => {
    expect(drivenByData(exported('scan'), ['x'])).toEqual([]);
    expect(drivenByData(branching('Shape'), ['x'])).toEqual([]);
    expect(drivenByData(branching('Abs', 'shared'), ['x'])).toEqual([]);
    expect(drivenByData(branching('Abs'), ['x']).map((n) => n.op)).toEqual(['If']);
    expect(drivenByData(perceptron(), ['x'])).toEqual([]);
  });

  it('a batch fixed at 1 has no neighbours', async () => {
    const model = {
      name: 'branching',
      graph: branching('Abs'),
      inputs: { x: features([3]), shared: features([3], 'C') },
      fixedBatch: 1,
    };
    expect(await findCoupling(model, 'y', runtime.execute)).toEqual({ coupling: 'none', said: [] });
    const { fixedBatch: _, ...free } = model;
    expect((await findCoupling(free, 'y', runtime.execute)).coupling).toBe('batch');
  });
});
