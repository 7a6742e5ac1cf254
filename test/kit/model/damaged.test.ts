/** @file What mutated files found (test/slow/fuzz.test.ts): each ends in words, not in an exception of the language. */
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { ModelProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { importGraphModel } from '../../../src/kit/model/importers/tfjs-graph.ts';

const refusal = (message: string) => expect.objectContaining({ name: 'UserError', message: expect.stringContaining(message) });
const thrownBy = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return error;
  }
};

describe('a damaged file', () => {
  it.each([2 ** 40, 2 ** 62])('with an input of %d values is refused before anything is allocated', async (size) => {
    const g = graphBuilder();
    g.op('Relu', [g.input('x', ['N', size])], {}, 'y');
    g.output('y', ['N', size]);
    const never = () => Promise.reject(new Error('the runtime was asked'));
    await expect(inferShapes(g.build(), never)).rejects.toEqual(refusal(`input "x" has the sizes [2,${size}], more than`));
  });

  it.each([[-1n, -1n], [-2n, -2n], [2n ** 62n]])('with a weight of sizes %s is refused, whatever their product', (...dims) => {
    const weight = { name: 'w', dataType: 1, dims, floatData: dims.length === 2 && dims[0] === -1n ? [1] : [1, 2, 3, 4] };
    const message = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 18n }],
      graph: { name: 'g', initializer: [weight] },
    });
    expect(thrownBy(() => readModel(toBinary(ModelProtoSchema, message), { source: 'm.onnx' }))).toEqual(
      refusal(`m.onnx: tensor "w" has the sizes [${dims}], which no tensor has`),
    );
  });

  it('of TensorFlow.js with text that is not base64 is refused, naming node and attribute', () => {
    const size = (n: number) => ({ size: String(n) });
    const node = [
      { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [4, 4, 4, 2].map(size) } } } },
      { name: 'f', op: 'Const' },
      { name: 'y', op: '_FusedConv2D', input: ['x', 'f', 'f'], attr: { fused_ops: { list: { s: ['no base64!'] } } } },
    ];
    const weights = [{ name: 'f', shape: [1, 1, 2, 1], dtype: 'float32' }];
    const json = new TextEncoder().encode(
      JSON.stringify({ modelTopology: { node }, weightsManifest: [{ paths: ['w'], weights }] }),
    );
    expect(thrownBy(() => importGraphModel(json, { w: new Uint8Array(8) }, { source: 'm.json' }))).toEqual(
      refusal('attribute "fused_ops" is not base64 text: "no base64!"'),
    );
  });
});
