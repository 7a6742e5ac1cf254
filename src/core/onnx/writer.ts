/** @file The graph IR to ONNX bytes. What was read and not touched is written as it was. */
import { create } from '@bufbuild/protobuf';
import { elementType } from './dtypes.ts';
import { attributeRefersOutside, refersOutside } from './external.ts';
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
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx-ml_pb.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';
import { fileOf, originOf } from './provenance.ts';
import { producerOf } from './reader.ts';
import { serialiseModel } from './serialise.ts';
import { externalTensor, writeTensor } from './tensors.ts';

export interface WriteOptions {
  /** Weights that were read from files beside the model: brought in (the default), or left there if nobody replaced them. */
  external?: 'embed' | 'keep';
}

export const writeDefaults = { external: 'embed' } as const;

/** Serialises a model. A model read from bytes and not rebuilt since is those very bytes. */
export function writeModel(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const keep = (options.external ?? writeDefaults.external) === 'keep';
  const origin = originOf<ModelProto>(graph);
  if (origin !== undefined && (keep || !refersOutside(origin))) return fileOf(graph) ?? serialiseModel(origin);
  return serialiseModel(modelMessage(graph, keep));
}

/** A model for the runtime, which takes large weights from the memory they already lie in. */
export interface WeightsApart {
  readonly model: Uint8Array;
  /** What the model calls the files of its weights, and their bytes: views, not copies. */
  readonly weights: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** Bytes from which a weight is handed over apart. */
const large = 4096;

/** The runtime reads sizes (of a Split into hundreds, say) while it infers shapes, and refuses those that lie elsewhere. */
const maySize = (tensor: TensorProto): boolean => tensor.dataType === elementType('int64');

/** Serialises a model without copying its weights: to be opened, not to be kept. One that was read and not rebuilt since is its very bytes. */
export function writeApart(graph: Graph): WeightsApart {
  const file = fileOf(graph);
  const origin = originOf<ModelProto>(graph);
  if (file !== undefined && origin !== undefined && !refersOutside(origin)) return { model: file, weights: [] };
  const message = modelMessage(graph, false);
  const weights: { path: string; data: Uint8Array }[] = [];
  const initializer = message.graph!.initializer.map((tensor) => {
    if (tensor.rawData.length < large || maySize(tensor)) return tensor;
    const path = `weights/${weights.length}`;
    weights.push({ path, data: tensor.rawData });
    return externalTensor(tensor, path);
  });
  const apart = Object.assign(create(GraphProtoSchema), message.graph, { initializer });
  return { model: serialiseModel(Object.assign(create(ModelProtoSchema), message, { graph: apart })), weights };
}

function modelMessage(graph: Graph, keep: boolean): ModelProto {
  const rest = graph.rest?.model;
  const model: ModelProto = Object.assign(create(ModelProtoSchema), rest, {
    irVersion: BigInt(graph.irVersion),
    opsetImport: [...graph.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: [...graph.metadata].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
    graph: graphMessage(graph, keep),
  });
  if (rest === undefined || producerOf(rest) !== graph.producer) {
    model.producerName = graph.producer;
    model.producerVersion = '';
  }
  return model;
}

function graphMessage(graph: Graph, keep: boolean): GraphProto {
  const rest = graph.rest?.graph;
  const named = new Set([
    ...graph.inputs.map((v) => v.name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ]);
  return Object.assign(create(GraphProtoSchema), rest, {
    name: graph.name,
    node: graph.nodes.map((n) => nodeMessage(n, keep)),
    initializer: [...graph.initializers].map(([name, value]) => writeTensor(value, name, keep)),
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
    valueInfo: [...graph.values.values()].map(valueMessage),
    quantizationAnnotation: rest?.quantizationAnnotation.filter((a) => named.has(a.tensorName)) ?? [],
  });
}

function nodeMessage(node: Node, keep: boolean): NodeProto {
  const origin = originOf<NodeProto>(node);
  if (origin !== undefined && (keep || !origin.attribute.some(attributeRefersOutside))) return origin;
  return create(NodeProtoSchema, {
    opType: node.op,
    // stated though empty, the field would take its two bytes in every node
    ...(node.overload === undefined ? {} : { overload: node.overload }),
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes].map(([name, value]) => attributeMessage(name, value, keep)),
  });
}

const encoder = new TextEncoder();

function attributeMessage(name: string, attribute: Attribute, keep: boolean): AttributeProto {
  const origin = originOf<AttributeProto>(attribute);
  if (origin !== undefined && origin.name === name && (keep || !attributeRefersOutside(origin))) return origin;
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
      return create(AttributeProtoSchema, { name, type: A.TENSOR, t: writeTensor(attribute.value, '', keep) });
    case 'graph':
      return create(AttributeProtoSchema, {
        name,
        type: A.GRAPH,
        g: graphMessage(attribute.value, keep),
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
