/** @file Local functions of a model (ModelProto.functions) in terms of the IR. */
import type { AttributeProto, FunctionProto } from './generated/onnx-ml_pb.ts';
import type { Attribute, Attributes, Graph, Node } from './graph.ts';
import { originOf } from './provenance.ts';
import { readAttribute, readNode } from './reader.ts';

export interface LocalFunction {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes a call has to give. */
  readonly required: readonly string[];
  /** Attributes a call may give, with what holds otherwise. */
  readonly defaults: Attributes;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** The local functions of a model; none for subgraphs and graphs built here. Throws a UserError for tensors the IR cannot hold. */
export const functionsOf = (graph: Graph, source = 'the model'): readonly LocalFunction[] =>
  (graph.rest?.model?.functions ?? []).map((f) => readFunction(f, source));

function readFunction(proto: FunctionProto, source: string): LocalFunction {
  const context = { source: `${source}, function ${proto.domain}::${proto.name}`, external: new Map() };
  return {
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    name: proto.name,
    overload: proto.overload,
    inputs: proto.input,
    outputs: proto.output,
    required: proto.attribute,
    defaults: new Map(proto.attributeProto.map((a) => [a.name, readAttribute(a, context)])),
    nodes: proto.node.map((n) => readNode(n, context)),
    opsets: new Map(proto.opsetImport.map((o) => [o.domain === 'ai.onnx' ? '' : o.domain, Number(o.version)])),
  };
}

/** The name of the function's attribute that an attribute inside its body stands for, or undefined for one with a value of its own. */
export function referenceOf(attribute: Attribute): string | undefined {
  const name = originOf<AttributeProto>(attribute)?.refAttrName;
  return name === '' ? undefined : name;
}

/** The graph without its local functions, for when every call has been replaced by its body. */
export function withoutFunctions(graph: Graph): Graph {
  const model = graph.rest?.model;
  if (graph.rest === undefined || model === undefined) return graph;
  return {
    ...graph,
    rest: { ...graph.rest, model: Object.assign(Object.create(Object.getPrototypeOf(model)), model, { functions: [] }) },
  };
}
