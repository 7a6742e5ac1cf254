/** @file ONNX bytes to the graph IR: weights are views into the file, and every object remembers its message (provenance.ts). */
import { fromBinary } from '@bufbuild/protobuf';
import { UserError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { dtypeOf } from './dtypes.ts';
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from './generated/onnx-ml_pb.ts';
import type { Attribute, Dim, Graph, Node, Value } from './graph.ts';
import { cameFrom, readFrom } from './provenance.ts';
import { restOf } from './rest.ts';
import { type ExternalData, readTensor } from './tensors.ts';

export interface ReadOptions {
  /** How errors name the file. */
  source?: string;
  /** Bytes of the external data files the model refers to, by the `location` written in the model. */
  external?: ExternalData;
}

/** Reads an ONNX model. Throws a UserError for bytes that are not ONNX, are cut short, or refer to external data that is not given. */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Graph {
  const source = options.source ?? 'the model';
  const model = decodeModel(bytes, source);
  const opsets = new Map(model.opsetImport.map((o) => [o.domain === 'ai.onnx' ? '' : o.domain, Number(o.version)]));
  const graph = readGraph(model.graph!, { source, external: options.external ?? new Map() });
  const read: Graph = {
    ...graph,
    opsets,
    irVersion: Number(model.irVersion),
    producer: producerOf(model),
    metadata: new Map(model.metadataProps.map((p) => [p.key, p.value])),
    rest: restOf(model.graph!, model),
  };
  return readFrom(cameFrom(read, model), bytes);
}

/** Name and version of the program that wrote a model, as one string. */
export const producerOf = (model: ModelProto): string =>
  [model.producerName, model.producerVersion].filter((s) => s !== '').join(' ');

/** The protobuf message of a model; the errors a user meets with a wrong or damaged file are raised here. */
export function decodeModel(bytes: Uint8Array, source: string): ModelProto {
  const refuse = (why: string, cause?: unknown): never => {
    throw new UserError(
      `${source} is not a readable ONNX model: ${why}`,
      'check that the file is complete and was written by an ONNX exporter',
      { cause },
    );
  };
  if (bytes.length === 0) refuse('it is empty');
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    return refuse(`its bytes do not decode as protobuf (truncated, or another format; ${bytes.length} bytes)`, cause);
  }
  if (model.graph === undefined) return refuse('it holds no graph (truncated, or another format)');
  if (model.opsetImport.length === 0) return refuse('it names no operator set (truncated, or another format)');
  return model;
}

/** How errors name the file, and the data files beside it. */
export interface ReadContext {
  readonly source: string;
  readonly external: ExternalData;
}

function readGraph(proto: GraphProto, context: ReadContext): Graph {
  const initializers = new Map<string, Tensor>();
  for (const t of proto.initializer) initializers.set(t.name, readTensor(t, context));
  return cameFrom(
    {
      name: proto.name,
      nodes: proto.node.map((n) => readNode(n, context)),
      inputs: proto.input.map(readValue),
      outputs: proto.output.map(readValue),
      initializers,
      values: new Map(proto.valueInfo.map((v) => [v.name, readValue(v)])),
      opsets: new Map(),
      irVersion: 0,
      producer: '',
      metadata: new Map(),
      rest: restOf(proto),
    },
    proto,
  );
}

/** Decodes a node (also of a local function's body). */
export function readNode(proto: NodeProto, context: ReadContext): Node {
  return cameFrom(
    {
      op: proto.opType,
      ...(proto.overload === '' ? {} : { overload: proto.overload }),
      domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
      name: proto.name,
      inputs: proto.input,
      outputs: proto.output,
      attributes: new Map(proto.attribute.map((a) => [a.name, readAttribute(a, context)])),
    },
    proto,
  );
}

const text = new TextDecoder();

/** Decodes an attribute; what the IR has no type for becomes opaque. */
export function readAttribute(proto: AttributeProto, context: ReadContext): Attribute {
  const attribute = (): Attribute => {
    if (proto.refAttrName !== '') return { type: 'opaque' };
    switch (proto.type) {
      case A.INT:
        return { type: 'int', value: Number(proto.i) };
      case A.FLOAT:
        return { type: 'float', value: proto.f };
      case A.STRING:
        return { type: 'string', value: text.decode(proto.s) };
      case A.INTS:
        return { type: 'ints', value: proto.ints.map(Number) };
      case A.FLOATS:
        return { type: 'floats', value: proto.floats };
      case A.STRINGS:
        return { type: 'strings', value: proto.strings.map((s) => text.decode(s)) };
      case A.TENSOR:
        return proto.t === undefined || dtypeOf(proto.t.dataType) === undefined
          ? { type: 'opaque' }
          : { type: 'tensor', value: readTensor(proto.t, context) };
      case A.GRAPH:
        return proto.g === undefined ? { type: 'opaque' } : { type: 'graph', value: readGraph(proto.g, context) };
      default:
        return { type: 'opaque' };
    }
  };
  return cameFrom(attribute(), proto);
}

function readValue(proto: ValueInfoProto): Value {
  const type = proto.type?.value.case === 'tensorType' ? proto.type.value.value : undefined;
  const dims = type?.shape?.dim.map(
    (d): Dim =>
      d.value.case === 'dimValue' && d.value.value >= 0n
        ? Number(d.value.value)
        : d.value.case === 'dimParam' && d.value.value !== ''
          ? d.value.value
          : null,
  );
  return cameFrom({ name: proto.name, dtype: type === undefined ? undefined : dtypeOf(type.elemType), dims }, proto);
}
