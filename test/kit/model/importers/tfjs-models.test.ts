import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { findPackage, readPackageFiles } from '../../../../src/app/host/packages.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { numbersOf, type Tensor, tensor } from '../../../../src/core/tensor/tensor.ts';
import { humanPackage } from '../../../../src/kit/model/builtin/human.ts';
import { importGraphModel, shardPaths } from '../../../../src/kit/model/importers/tfjs-graph.ts';
import { complaint } from '../../data/samples.ts';
import { syntheticPicture } from '../builtin/faces.ts';

interface ModelCase {
  name: string;
  input: string;
  side: number;
  integer: boolean;
  outputs: { node: string; shape: number[]; range: [number, number]; every: number; values: number[] }[];
}

const cases = JSON.parse(await readFile(new URL('../../../fixtures/tfjs/models.json', import.meta.url), 'utf8')) as ModelCase[];
const runtime = createRuntime(ort);

async function human(name: string) {
  const installed = await findPackage(humanPackage);
  const json = (await readPackageFiles(installed, [`models/${name}.json`]))[`models/${name}.json`]!;
  const shards = shardPaths(json, name);
  const files = await readPackageFiles(
    installed,
    shards.map((s) => `models/${s}`),
  );
  return { json, files: Object.fromEntries(shards.map((s) => [s, files[`models/${s}`]!])) };
}

describe('whole models give what TensorFlow.js gives', () => {
  test.each(cases)('$name', async ({ name, input, side, integer, outputs }) => {
    const { json, files } = await human(name);
    const session = await runtime.open(importGraphModel(json, files, { source: name }));
    const { data } = syntheticPicture(side, side);
    const dims = [1, side, side, 3];
    const feed: Tensor = integer
      ? tensor('int32', dims, Int32Array.from(data))
      : tensor(
          'float32',
          dims,
          Float32Array.from(data, (v) => v / 255),
        );
    const results = await session.run({ [input]: feed });
    await session.release();
    expect(Object.keys(results).sort()).toEqual(outputs.map((o) => o.node).sort());
    for (const { node, shape, range, every, values } of outputs) {
      expect(results[node]!.dims).toEqual(shape);
      const got = numbersOf(results[node]!).filter((_, i) => i % every === 0);
      const worst = Math.max(...values.map((v, i) => Math.abs(v - got[i]!)));
      const scale = values.length === 1 ? Math.max(1, Math.abs(values[0]!)) : range[1] - range[0];
      expect(worst / scale).toBeLessThan(1e-5);
    }
  });

  test('a symbolic batch stays symbolic', async () => {
    const { json, files } = await human('liveness');
    const session = await runtime.open(importGraphModel(json, files));
    const { data } = syntheticPicture(32, 32);
    const pair = Float32Array.from([...data, ...data.toReversed()], (v) => v / 255);
    const run = async (batch: number) => {
      const values = pair.slice(0, batch * 32 * 32 * 3);
      const { Identity } = await session.run({ conv2d_1_input: tensor('float32', [batch, 32, 32, 3], values) });
      return numbersOf(Identity!);
    };
    const [both, one] = [await run(2), await run(1)];
    await session.release();
    expect(both).toHaveLength(4);
    expect(both.slice(0, 2)).toEqual(one);
    expect(both.slice(2)).not.toEqual(one);
  });
});

describe('models that cannot be imported say why', () => {
  test('an op that is not converted is named with its node', async () => {
    const { json, files } = await human('centernet');
    expect(await complaint(() => importGraphModel(json, files, { source: 'centernet.json' }))).toMatch(
      /^centernet.json: node "[^"]+" \((Equal|TopKV2|GatherV2|FloorMod)\): this op is not converted -> convert the model to ONNX with tf2onnx and give the ONNX file$/,
    );
  });

  test('a loop is named by a node on it', async () => {
    const { json, files } = await human('handtrack');
    expect(await complaint(() => importGraphModel(json, files, { source: 'handtrack.json' }))).toMatch(
      /^handtrack.json: node "[^"]+" \((NextIteration|Merge|Enter|Switch)\) lies on a cycle -> loops are not converted: unroll the model$/,
    );
  });
});
