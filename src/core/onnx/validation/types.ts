/** @file Element types the runtime's JavaScript binding can carry, and tensors that hold what their shape says. */
import { sizeOf, type Tensor } from '../../tensor/tensor.ts';
import { dtypeOf, elementTypeName } from '../dtypes.ts';
import { type AttributeProto, TensorProto_DataType as T, type TypeProto, type ValueInfoProto } from '../generated/onnx-ml_pb.ts';
import { describeNode, type Graph, type Node, type Value } from '../graph.ts';
import { originOf } from '../provenance.ts';
import { type Place, subgraphsOf } from './finding.ts';
import { isNeverTensor } from './operators.ts';

const fourBits = new Set<number>([T.INT4, T.UINT4, T.FLOAT4E2M1]);

/** Attributes that name an element type; in those marked 'or none', 0 stands for "not stated". */
const elementTypeAttributes: Readonly<Record<string, 'always' | 'or none'>> = {
  to: 'always',
  dtype: 'always',
  output_datatype: 'always',
  output_dtype: 'or none',
};

const why = (element: number): string =>
  fourBits.has(element) ? 'the process ends when such a value is read' : "which the runtime's JavaScript binding cannot carry";

const remedy = 'export the model in float32 (or float16, float64, or 8-bit integers)';

/** Checks inputs, outputs, stated types and tensors of a graph and its subgraphs. */
export function checkTypes(graph: Graph, place: Place, isSubgraph = false): void {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  for (const value of graph.values.values()) checkElement(value, 'value', place);
  for (const value of graph.inputs) {
    checkElement(value, 'input', place);
    if (!isSubgraph) checkIsTensor(value, 'input', place);
  }
  for (const value of graph.outputs) {
    checkElement(value, 'output', place);
    if (isSubgraph) continue;
    checkIsTensor(value, 'output', place);
    const maker = producers.get(value.name);
    if (
      statedType(value)?.value.case === undefined &&
      value.dtype === undefined &&
      maker?.outputs[0] === value.name &&
      isNeverTensor(maker, place)
    )
      place.report('type', value.name, `output "${value.name}" comes from ${describeNode(maker)} and is no tensor`, noTensor);
  }
  for (const [name, value] of graph.initializers) checkSize(value, `initializer "${name}"`, place);
  checkNodeTypes(graph.nodes, place);
}

/** Checks element types and tensors in the attributes of nodes and in their subgraphs. */
export function checkNodeTypes(nodes: readonly Node[], place: Place): void {
  for (const node of nodes) {
    const where = describeNode(node);
    for (const [name, attribute] of node.attributes) {
      if (attribute.type === 'tensor') checkSize(attribute.value, `attribute "${name}" of ${where}`, place);
      const element = elementStated(
        name,
        attribute.type === 'int' ? attribute.value : originOf<AttributeProto>(attribute)?.t?.dataType,
        attribute.type,
      );
      if (element !== undefined && dtypeOf(element) === undefined)
        place.report(
          'type',
          where,
          `${where}: the attribute "${name}" asks for ${elementTypeName(element)}, ${why(element)}`,
          remedy,
        );
    }
    for (const subgraph of subgraphsOf(node)) checkTypes(subgraph, place, true);
  }
}

/** The element type an attribute stands for, if it does: of a type attribute, or of a tensor the reader could not decode. */
function elementStated(name: string, value: number | undefined, type: string): number | undefined {
  if (type === 'opaque') return value;
  const kind = type === 'int' && Object.hasOwn(elementTypeAttributes, name) ? elementTypeAttributes[name] : undefined;
  return kind === undefined || (kind === 'or none' && value === 0) ? undefined : value;
}

const statedType = (value: Value): TypeProto | undefined => originOf<ValueInfoProto>(value)?.type;

function checkElement(value: Value, kind: string, place: Place): void {
  const type = statedType(value);
  if (value.dtype !== undefined || type?.value.case !== 'tensorType') return;
  const element = type.value.value.elemType;
  if (element === 0 && kind !== 'input') return;
  place.report('type', value.name, `${kind} "${value.name}" is ${elementTypeName(element)}, ${why(element)}`, remedy);
}

const noTensor = 'let the model take and return plain tensors (scikit-learn: convert with zipmap off)';

const kinds: Readonly<Record<string, string>> = {
  sequenceType: 'a sequence',
  mapType: 'a map',
  optionalType: 'an optional',
  sparseTensorType: 'a sparse tensor',
  opaqueType: 'an opaque type',
};

function checkIsTensor(value: Value, kind: 'input' | 'output', place: Place): void {
  if (value.dtype !== undefined) return;
  const stated = statedType(value)?.value.case;
  if (stated === 'tensorType') return;
  if (stated !== undefined)
    place.report('type', value.name, `${kind} "${value.name}" is ${kinds[stated] ?? stated}, not a tensor`, noTensor);
  else if (kind === 'input')
    place.report('type', value.name, `input "${value.name}" has no type`, 'export the model with typed inputs');
}

function checkSize(t: Tensor, what: string, place: Place): void {
  if (t.dims.some((d) => !Number.isSafeInteger(d) || d < 0))
    place.report('size', what, `${what} has the shape [${t.dims}]`, 'the file is damaged: export the model again');
  else if (t.data.length !== sizeOf(t.dims))
    place.report(
      'size',
      what,
      `${what} [${t.dims}] needs ${sizeOf(t.dims)} values and holds ${t.data.length}`,
      'the file is damaged: export the model again',
    );
}
