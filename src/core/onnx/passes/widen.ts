/** @file float16 models in float32: every weight is the same number, only what is computed from them is rounded later. */
import { halfToNumber, type Tensor, tensor } from '../../tensor/tensor.ts';
import { elementType } from '../dtypes.ts';
import type { Attribute, Graph, Node, Value } from '../graph.ts';
import type { ShapeTable } from './shapes.ts';

/** Attributes that name the element type of a result. */
const typeAttributes = new Set(['to', 'dtype', 'output_dtype']);

/** Whether a value of the graph is float16, as its shapes say. */
export const computesInHalves = (shapes: ShapeTable): boolean => [...shapes.values()].some((entry) => entry.dtype === 'float16');

/** Whether the file states float16 anywhere: in an input, a weight, a value, or a Cast. */
export const statesHalves = (graph: Graph): boolean =>
  [...graph.inputs, ...graph.outputs, ...graph.values.values(), ...graph.initializers.values()].some(
    (v) => v.dtype === 'float16',
  ) || graph.nodes.some((n) => [...n.attributes].some(([name, a]) => widenedAttribute(name, a) !== a));

/** The same graph with float32 for float16 everywhere, in bodies of If, Loop and Scan too; a Cast to float16 becomes one to float32, and rounds no more. */
export function widen(graph: Graph): Graph {
  return {
    ...graph,
    inputs: graph.inputs.map(widenedValue),
    outputs: graph.outputs.map(widenedValue),
    values: new Map([...graph.values].map(([name, value]) => [name, widenedValue(value)])),
    initializers: new Map([...graph.initializers].map(([name, value]) => [name, widenedTensor(value)])),
    nodes: graph.nodes.map(widenedNode),
  };
}

/** The shapes of a widened graph. */
export const widenShapes = (shapes: ShapeTable): ShapeTable =>
  new Map(
    [...shapes].map(([name, entry]) => [name, entry.dtype === 'float16' ? { ...entry, dtype: 'float32' as const } : entry]),
  );

const widenedValue = (value: Value): Value => (value.dtype === 'float16' ? { ...value, dtype: 'float32' } : value);

const widenedTensor = (value: Tensor): Tensor =>
  value.dtype === 'float16' ? tensor('float32', value.dims, Float32Array.from(value.data, halfToNumber)) : value;

const widenedNode = (node: Node): Node => ({
  ...node,
  attributes: new Map([...node.attributes].map(([name, a]) => [name, widenedAttribute(name, a)])),
});

function widenedAttribute(name: string, a: Attribute): Attribute {
  if (a.type === 'graph') return statesHalves(a.value) ? { type: 'graph', value: widen(a.value) } : a;
  if (a.type === 'tensor') return a.value.dtype === 'float16' ? { type: 'tensor', value: widenedTensor(a.value) } : a;
  const isType = a.type === 'int' && typeAttributes.has(name) && a.value === elementType('float16');
  return isType ? { type: 'int', value: elementType('float32') } : a;
}
