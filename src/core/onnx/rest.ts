/** @file What a file says about a model or graph that the IR has no field for, kept apart from the weights so that it costs nothing to carry. */
import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { type GraphProto, GraphProtoSchema, type ModelProto, ModelProtoSchema } from './generated/onnx-ml_pb.ts';

/** Opaque to passes: only the reader makes it and only the writer and functions.ts look inside. */
export interface Rest {
  /** Undefined in subgraphs. */
  readonly model: ModelProto | undefined;
  readonly graph: GraphProto;
}

/** The parts of a graph message the IR does not hold; `model` is the message around it. */
export function restOf(graph: GraphProto, model?: ModelProto): Rest {
  return {
    model: model && without(ModelProtoSchema, model, ['irVersion', 'opsetImport', 'metadataProps', 'graph']),
    graph: without(GraphProtoSchema, graph, ['name', 'node', 'initializer', 'input', 'output', 'valueInfo']),
  };
}

function without<D extends DescMessage>(schema: D, message: MessageShape<D>, names: readonly string[]): MessageShape<D> {
  const kept = Object.entries(message).filter(([name]) => !names.includes(name));
  return Object.assign(create(schema), Object.fromEntries(kept));
}
