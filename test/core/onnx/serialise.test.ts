import { readdirSync, readFileSync } from 'node:fs';
import { fromBinary, isFieldSet, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { resnet18 } from '../../../bench/models/resnet18.ts';
import { ModelProtoSchema, NodeProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import { serialiseModel } from '../../../src/core/onnx/serialise.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';

const folder = new URL('../../fixtures/torch-exports/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.onnx'));

describe('serialiseModel', () => {
  it.each(files)('gives the bytes of the general serialiser for %s', (name) => {
    const model = fromBinary(ModelProtoSchema, readFileSync(new URL(name, folder)));
    expect(Buffer.from(serialiseModel(model)).equals(toBinary(ModelProtoSchema, model))).toBe(true);
  });

  it('does so for large weights, unknown fields and a model without a graph', () => {
    const large = writeModel(resnet18(64));
    // field 99 of the model, and field 98 of its first weight, are in no schema
    const model = fromBinary(ModelProtoSchema, Buffer.concat([large, Uint8Array.from([0x9a, 6, 2, 1, 2])]));
    model.graph!.initializer[0]!.$unknown = [{ no: 98, wireType: 2, data: Uint8Array.from([1, 7]) }];
    expect(model.$unknown?.length).toBe(1);
    expect(Buffer.from(serialiseModel(model)).equals(toBinary(ModelProtoSchema, model))).toBe(true);
    const { graph: _, ...rest } = model;
    const empty = fromBinary(ModelProtoSchema, new Uint8Array());
    Object.assign(empty, rest);
    expect(Buffer.from(serialiseModel(empty)).equals(toBinary(ModelProtoSchema, empty))).toBe(true);
  });

  it('a node without an overload states none', () => {
    const { graph } = fromBinary(ModelProtoSchema, writeModel(resnet18(64)));
    expect(graph!.node.filter((node) => isFieldSet(node, NodeProtoSchema.field.overload))).toEqual([]);
  });
});
