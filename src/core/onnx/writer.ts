/** @file The graph IR to ONNX bytes. What was read and not touched is written as it was. */
import { create, toBinary } from '@bufbuild/protobuf';
import { elementType } from './dtypes.ts';
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx-ml_pb.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';
import { originOf } from './provenance.ts';
import { writeTensor } from './tensors.ts';

/** Serialises a model; weights are embedded. */
export function writeModel(graph: Graph): Uint8Array {
  const origin = originOf<ModelProto>(graph);
  if (origin !== undefined) return toBinary(ModelProtoSchema, origin);
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(graph.irVersion),
    producerName: graph.producer,
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
    graph: graphMessage(graph),
  });
  return toBinary(ModelProtoSchema, model);
}

function graphMessage(graph: Graph): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map(nodeMessage),
    initializer: [...graph.initializers].map(([name, value]) => writeTensor(value, name)),
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
    valueInfo: [...graph.values.values()].map(valueMessage),
  });
}

function nodeMessage(node: Node): NodeProto {
  return (
    originOf<NodeProto>(node) ??
    create(NodeProtoSchema, {
      opType: node.op,
      domain: node.domain,
      name: node.name,
      input: [...node.inputs],
      output: [...node.outputs],
      attribute: [...node.attributes].map(([name, value]) => attributeMessage(name, value)),
    })
  );
}

const encoder = new TextEncoder();

function attributeMessage(name: string, attribute: Attribute): AttributeProto {
  const origin = originOf<AttributeProto>(attribute);
  if (origin !== undefined && origin.name === name) return origin;
  switch (attribute.type) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: A.INT, i: int64(attribute.value) });
    case 'float':
      return create(AttributeProtoSchema, { name, type: A.FLOAT, f: attribute.value });
    case 'string':
      return create(AttributeProtoSchema, { name, type: A.STRING, s: encoder.encode(attribute.value) });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: A.INTS, ints: attribute.value.map(int64) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: A.FLOATS, floats: [...attribute.value] });
    case 'strings':
      return create(AttributeProtoSchema, { name, type: A.STRINGS, strings: attribute.value.map((s) => encoder.encode(s)) });
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: A.TENSOR, t: writeTensor(attribute.value, '') });
    case 'graph':
      return create(AttributeProtoSchema, {
        name,
        type: A.GRAPH,
        g: originOf<GraphProto>(attribute.value) ?? graphMessage(attribute.value),
      });
    case 'opaque':
      throw new Error(`attribute "${name}" has no value that can be written`);
  }
}

/** int64 limits do not survive a double: the nearest doubles are clamped back to them. */
const int64 = (value: number): bigint => (value >= 2 ** 63 ? 2n ** 63n - 1n : value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value));

function valueMessage(value: Value): ValueInfoProto {
  const origin = originOf<ValueInfoProto>(value);
  if (origin !== undefined) return origin;
  const { name, dtype, dims } = value;
  if (dtype === undefined) return create(ValueInfoProtoSchema, { name });
  const shape =
    dims === undefined
      ? {}
      : {
          shape: {
            dim: dims.map((d) =>
              d === null
                ? {}
                : typeof d === 'number'
                  ? { value: { case: 'dimValue' as const, value: BigInt(d) } }
                  : { value: { case: 'dimParam' as const, value: d } },
            ),
          },
        };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: elementType(dtype), ...shape } } },
  });
}
