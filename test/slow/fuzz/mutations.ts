/** @file Ways a file gets damaged: in its bytes, and in the messages of an ONNX model. All drawn from a stream, so that every file can be made again. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type GraphProto, type ModelProto, ModelProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import type { Stream } from '../../../src/core/tensor/random.ts';

type Mutation = (bytes: Uint8Array, random: Stream, other: Uint8Array) => Uint8Array;

const concat = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const one = <T>(list: readonly T[], random: Stream): T | undefined =>
  list.length === 0 ? undefined : list[random.integer(list.length)];

/** Damage to any file. The first bytes, where headers are, are hit more often. */
export const byteMutations: Readonly<Record<string, Mutation>> = {
  flip(bytes, random) {
    const out = bytes.slice();
    for (let k = 1 + random.integer(8); k > 0 && out.length > 0; k--) {
      const within = random.integer(2) === 0 ? Math.min(out.length, 256) : out.length;
      const at = random.integer(within);
      out[at] = out[at]! ^ (1 << random.integer(8));
    }
    return out;
  },
  truncate: (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1)),
  /** A run of bytes that say "more follows", or "very long", as lengths do. */
  lengthen(bytes, random) {
    const out = bytes.slice();
    const at = random.integer(Math.max(1, out.length));
    out.fill(random.integer(2) === 0 ? 0xff : 0x7f, at, at + 1 + random.integer(6));
    return out;
  },
  splice(bytes, random, other) {
    const from = random.integer(other.length + 1);
    const part = other.slice(from, from + random.integer(200));
    const at = random.integer(bytes.length + 1);
    return concat(bytes.slice(0, at), part, bytes.slice(at + random.integer(part.length + 1)));
  },
  repeat(bytes, random) {
    const at = random.integer(bytes.length + 1);
    const part = bytes.slice(at, at + random.integer(64));
    return concat(bytes.slice(0, at), part, part, bytes.slice(at));
  },
};

const strange = [0n, -1n, 1n, 3n, 2n ** 31n, 2n ** 40n, 2n ** 62n, -(2n ** 63n)] as const;

type GraphMutation = (graph: GraphProto, random: Stream, model: ModelProto) => void;

const values = (graph: GraphProto) => [...graph.input, ...graph.output, ...graph.valueInfo];

/** Damage to what a model says, in bytes that still decode. */
const graphMutations: Readonly<Record<string, GraphMutation>> = {
  'swapped names'(graph, random) {
    const [a, b] = [one(graph.node, random), one(graph.node, random)];
    if (a === undefined || b === undefined) return;
    [a.input, b.input] = [b.input, a.input];
  },
  'cyclic graph'(graph, random) {
    const node = one(graph.node, random);
    const later = graph.node.at(-1)?.output[0];
    if (node !== undefined && later !== undefined) node.input[random.integer(node.input.length + 1)] = later;
  },
  'duplicate name'(graph, random) {
    const [a, b] = [one(graph.node, random), one(graph.node, random)];
    if (a?.output[0] !== undefined && b !== undefined) b.output[0] = a.output[0];
  },
  'strange size'(graph, random) {
    const type = one(values(graph), random)?.type?.value;
    const dim = type?.case === 'tensorType' ? one(type.value.shape?.dim ?? [], random) : undefined;
    if (dim !== undefined) dim.value = { case: 'dimValue', value: one(strange, random)! };
  },
  'strange tensor size'(graph, random) {
    const weight = one(graph.initializer, random);
    if (weight !== undefined) weight.dims[random.integer(weight.dims.length + 1)] = one(strange, random)!;
  },
  'strange type'(graph, random) {
    const weight = one(graph.initializer, random);
    if (weight !== undefined) weight.dataType = random.integer(40);
  },
  'strange attribute'(graph, random) {
    const attribute = one(one(graph.node, random)?.attribute ?? [], random);
    if (attribute === undefined) return;
    attribute.i = one(strange, random)!;
    attribute.ints = attribute.ints.map((v) => (random.integer(2) === 0 ? v : one(strange, random)!));
    if (random.integer(4) === 0) attribute.type = random.integer(16);
  },
  'other operator'(graph, random) {
    const [a, b] = [one(graph.node, random), one(graph.node, random)];
    if (a !== undefined && b !== undefined) a.opType = random.integer(3) === 0 ? 'Nonsense' : b.opType;
  },
  'lost node': (graph, random) => void graph.node.splice(random.integer(Math.max(1, graph.node.length)), 1),
  'lost input'(graph, random) {
    const node = one(graph.node, random);
    if (node !== undefined) node.input = node.input.slice(0, random.integer(node.input.length + 1));
  },
  'strange opset'(_, random, model) {
    const opset = one(model.opsetImport, random);
    if (opset !== undefined) opset.version = random.integer(2) === 0 ? one(strange, random)! : BigInt(random.integer(30));
  },
};

/** A damaged ONNX model, and how it was damaged: half in bytes, half in what it says. */
export function damagedModel(bytes: Uint8Array, other: Uint8Array, random: Stream): { how: string; bytes: Uint8Array } {
  if (random.integer(2) === 0) return damaged(bytes, other, random);
  const model = fromBinary(ModelProtoSchema, bytes);
  const names = Object.keys(graphMutations);
  const how = Array.from({ length: 1 + random.integer(2) }, () => names[random.integer(names.length)]!);
  for (const name of how) graphMutations[name]!(model.graph!, random, model);
  return { how: how.join(', '), bytes: toBinary(ModelProtoSchema, model) };
}

/** A damaged file of any kind. */
export function damaged(bytes: Uint8Array, other: Uint8Array, random: Stream): { how: string; bytes: Uint8Array } {
  const names = Object.keys(byteMutations);
  const how = names[random.integer(names.length)]!;
  return { how, bytes: byteMutations[how]!(bytes, random, other) };
}
