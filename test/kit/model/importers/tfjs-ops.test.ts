import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { numbersOf, type Tensor, tensor } from '../../../../src/core/tensor/tensor.ts';
import { importGraphModel } from '../../../../src/kit/model/importers/tfjs-graph.ts';
import { converters } from '../../../../src/kit/model/importers/tfjs-ops/index.ts';

interface OpCase {
  name: string;
  modelTopology: { node: { name: string; op: string; attr?: Record<string, unknown> }[] };
  weights: { name: string; shape: number[]; dtype: string }[];
  data: string;
  feeds: Record<string, { shape: number[]; dtype: 'float32' | 'int32'; values: number[] }>;
  output: string;
  shape: number[];
  values: number[];
}

const cases = JSON.parse(await readFile(new URL('../../../fixtures/tfjs/ops.json', import.meta.url), 'utf8')) as OpCase[];
const runtime = createRuntime(ort);

function imported({ modelTopology, weights, data, output }: OpCase) {
  const weightsManifest = [{ paths: ['weights.bin'], weights }];
  const json = new TextEncoder().encode(JSON.stringify({ format: 'graph-model', modelTopology, weightsManifest }));
  return importGraphModel(json, { 'weights.bin': Buffer.from(data, 'base64') }, { outputs: { result: output } });
}

describe('every op gives what TensorFlow.js gives', () => {
  test.each(cases)('$name', async (op) => {
    const feeds = Object.fromEntries(
      Object.entries(op.feeds).map(([name, { shape, dtype, values }]): [string, Tensor] => [
        name,
        dtype === 'int32' ? tensor('int32', shape, Int32Array.from(values)) : tensor('float32', shape, Float32Array.from(values)),
      ]),
    );
    const session = await runtime.open(imported(op));
    const { result } = await session.run(feeds);
    await session.release();
    expect(result!.dims).toEqual(op.shape);
    const scale = Math.max(...op.values.map(Math.abs), 1e-30);
    const worst = Math.max(...numbersOf(result!).map((v, i) => Math.abs(v - op.values[i]!)));
    expect(worst / scale).toBeLessThan(1e-5);
  });

  test('no converter is left unproven', () => {
    const used = new Set(cases.flatMap((c) => c.modelTopology.node.map((n) => n.op)));
    expect([...converters.keys()].filter((op) => !used.has(op))).toEqual([]);
  });
});

describe('channels-first', () => {
  const transposes = (name: string) => {
    const op = cases.find((c) => c.name === name)!;
    return imported(op).nodes.filter((n) => n.op === 'Transpose').length;
  };

  test.each([
    ['Conv2D SAME stride 2', 2],
    ['AddV2 with a channel constant', 2],
    ['_FusedConv2D BiasAdd Prelu', 2],
    ['Mean over space', 1],
    ['ConcatV2 of rows', 3],
    ['Pad after Conv2D', 2],
  ] as const)('%s costs %i transposes, at the ends only', (name, count) => {
    expect(transposes(name)).toBe(count);
  });
});
