/** @file A model message to bytes with its weights copied once: the general serialiser grows its buffers by doubling, and a model is mostly weights. */
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './generated/onnx-ml_pb.ts';

/** Bytes of a weight below which the general serialiser may have it. */
const small = 4096;

/** The very bytes `toBinary` gives. */
export function serialiseModel(model: ModelProto): Uint8Array {
  const parts: Uint8Array[] = [];
  const { graph } = model;
  const [before, after] = around(ModelProtoSchema, model, 'graph');
  parts.push(before);
  if (graph !== undefined) {
    const [head, tail] = around(GraphProtoSchema, graph, 'initializer');
    const weights = graph.initializer.flatMap((t) => embedded(numberOf(GraphProtoSchema, 'initializer'), tensorParts(t)));
    parts.push(...embedded(numberOf(ModelProtoSchema, 'graph'), [head, ...weights, tail]));
  }
  parts.push(after);
  return joined(parts);
}

function tensorParts(tensor: TensorProto): Uint8Array[] {
  if (tensor.rawData.length < small) return [toBinary(TensorProtoSchema, tensor)];
  const [before, after] = around(TensorProtoSchema, tensor, 'rawData');
  return [before, ...embedded(numberOf(TensorProtoSchema, 'rawData'), [tensor.rawData]), after];
}

/** What comes before and after one field in a message, which lies in the order of the field numbers. */
function around<D extends DescMessage>(schema: D, message: MessageShape<D>, field: string): [Uint8Array, Uint8Array] {
  const at = numberOf(schema, field);
  const entries = Object.entries(message);
  const part = (keep: (name: string) => boolean): Uint8Array =>
    toBinary(schema, Object.assign(create(schema), Object.fromEntries(entries.filter(([name]) => keep(name)))));
  const isBefore = (name: string): boolean => name in schema.field && numberOf(schema, name) < at;
  return [part(isBefore), part((name) => name !== field && !isBefore(name))];
}

function numberOf(schema: DescMessage, field: string): number {
  const found = schema.field[field];
  if (found === undefined) throw new Error(`${schema.typeName} has no field ${field}`);
  return found.number;
}

/** A field of known length: its tag, its length, its parts. */
function embedded(field: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]), ...parts];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
