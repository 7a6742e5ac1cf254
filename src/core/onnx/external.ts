/** @file Weights in files beside the model: which files a host has to load before it can read the model. */
import {
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type TensorProto,
  TensorProto_DataLocation,
} from './generated/onnx-ml_pb.ts';
import { decodeModel } from './reader.ts';
import { checkLocation, externalEntry } from './tensors.ts';

/**
 * The data files a model refers to, as the locations written in it (relative to the model, each once).
 * Throws a UserError for bytes that are not ONNX and for locations outside the model's folder.
 */
export function externalFiles(bytes: Uint8Array, source = 'the model'): string[] {
  const files = new Set<string>();
  for (const tensor of tensorsOf(decodeModel(bytes, source))) {
    if (isExternal(tensor)) files.add(checkLocation(externalEntry(tensor, 'location') ?? '', tensor.name, source));
  }
  return [...files];
}

/** Whether any weights of the model lie in another file. */
export function refersOutside(model: ModelProto): boolean {
  for (const tensor of tensorsOf(model)) if (isExternal(tensor)) return true;
  return false;
}

/** Whether a tensor in the attribute, or in the subgraph it holds, lies in another file. */
export function attributeRefersOutside(attribute: AttributeProto): boolean {
  for (const tensor of attributeTensors(attribute)) if (isExternal(tensor)) return true;
  return false;
}

const isExternal = (tensor: TensorProto): boolean => tensor.dataLocation === TensorProto_DataLocation.EXTERNAL;

function* tensorsOf(model: ModelProto): Generator<TensorProto> {
  if (model.graph !== undefined) yield* graphTensors(model.graph);
  for (const f of model.functions) for (const node of f.node) for (const a of node.attribute) yield* attributeTensors(a);
}

function* graphTensors(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const sparse of graph.sparseInitializer) {
    if (sparse.values !== undefined) yield sparse.values;
    if (sparse.indices !== undefined) yield sparse.indices;
  }
  for (const node of graph.node) for (const attribute of node.attribute) yield* attributeTensors(attribute);
}

function* attributeTensors(attribute: AttributeProto): Generator<TensorProto> {
  if (attribute.t !== undefined) yield attribute.t;
  yield* attribute.tensors;
  if (attribute.g !== undefined) yield* graphTensors(attribute.g);
  for (const graph of attribute.graphs) yield* graphTensors(graph);
}
