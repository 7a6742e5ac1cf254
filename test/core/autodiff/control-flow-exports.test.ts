/** @file Models with control flow as both PyTorch exporters write them, against PyTorch's own gradients (test/oracles/export_control_flow.py). */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { compile } from '../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { disagreement } from './agreement.ts';

interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly file: string;
  readonly points: readonly {
    readonly x: Recorded;
    readonly y: Recorded;
    readonly cotangent: Recorded;
    readonly grad: Recorded;
  }[];
}

const runtime = createRuntime(ort);
const folder = new URL('../../fixtures/torch-exports/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('control-flow.json', folder), 'utf8')) as { cases: readonly Case[] };
const modelOf = (file: string) => readModel(new Uint8Array(readFileSync(new URL(file, folder))));

describe('exported control flow', () => {
  it.each(cases.map((c) => [c.file, c] as const))('%s', async (file, { points }) => {
    const evaluator = await compile(modelOf(file), { of: ['y'], wrt: ['x'], cotangents: true, runtime });
    for (const { x, y, cotangent, grad } of points) {
      const { of, grads } = await evaluator.run({ x: f32(x.data, x.dims), cotangent_y: f32(cotangent.data, cotangent.dims) });
      expect(of.y!.dims).toEqual(y.dims);
      expect(disagreement(numbersOf(of.y!), y.data)).toBeUndefined();
      expect(disagreement(numbersOf(grads.x!), grad.data)).toBeUndefined();
    }
    await evaluator.release();
  });

  it('is written out where its course is fixed', async () => {
    const flow = async (file: string): Promise<string[]> => {
      const { nodes } = await prepare(modelOf(file), runtime.execute);
      return nodes.map((n) => n.op).filter((op) => ['If', 'Loop', 'Scan'].includes(op));
    };
    expect(await flow('control-flow-cond.onnx')).toEqual(['If']);
    expect(await flow('control-flow-scan.onnx')).toEqual([]);
    expect(await flow('control-flow-while.onnx')).toEqual(['Loop']);
    expect(await flow('control-flow-scripted-for.onnx')).toEqual(['Loop']);
    expect(await flow('control-flow-scripted-for-fixed.onnx')).toEqual(['If', 'If', 'If', 'If']);
    expect(await flow('control-flow-scripted-while.onnx')).toEqual(['Loop']);
  });
});
