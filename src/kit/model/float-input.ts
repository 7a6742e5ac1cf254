/** @file Inputs of another type that are to be attacked become float32 inputs, so that they have a gradient. */
import { graphBuilder } from '../../core/onnx/builder.ts';
import { elementType } from '../../core/onnx/dtypes.ts';
import { type Graph, intOf, readsOf } from '../../core/onnx/graph.ts';
import { renamed } from '../../core/onnx/passes/control-flow/rename.ts';
import { keepRounding } from '../../core/onnx/passes/keep-rounding.ts';
import { namesOf } from '../../core/onnx/passes/rewrite.ts';
import type { DType } from '../../core/tensor/tensor.ts';
import { freeNames } from '../losses/graph.ts';

/** Operations that only move the elements of their first input. */
const movers = new Set(['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Slice']);

export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float16' || dtype === 'float64';

const floatTypes = new Set((['float32', 'float16', 'float64'] as const).map(elementType));

export interface FloatInput {
  readonly graph: Graph;
  /** Whether a Cast to integers had to stay: the gradient ends there unless a surrogate stands in. */
  readonly cut: boolean;
}

/**
 * The graph with input `name` declared float32. Where the file's own nodes only move whole numbers and then cast them to float, nothing is added and the
 * path stays differentiable; otherwise a Cast to the file's type is put behind the input.
 */
export function floatInput(graph: Graph, name: string): FloatInput {
  const input = graph.inputs.find((v) => v.name === name)!;
  const inputs = graph.inputs.map((v) => (v === input ? { ...v, dtype: 'float32' as const } : v));
  if (!isFloat(input.dtype!)) {
    const moved = onlyMoved(graph, name);
    if (moved !== undefined) {
      const values = new Map([...graph.values].filter(([value]) => !moved.has(value)));
      return { graph: { ...graph, inputs, values }, cut: false };
    }
  }
  const g = graphBuilder({ from: { ...graph, inputs, nodes: [] }, taken: namesOf(graph) });
  const cast = g.op('Cast', [name], { to: elementType(input.dtype!) }, freeNames(graph)(`${name}_as_${input.dtype}`));
  const fed = input.dtype === 'float16' ? keepRounding(g, cast, input.dims?.length ?? 0) : cast;
  for (const n of graph.nodes) g.add(readsOf(n).includes(name) ? renamed(n, (i) => (i === name ? fed : i)) : n);
  return { graph: g.build(), cut: !isFloat(input.dtype!) };
}

/** The values that hold the input's elements before they are cast to float, or undefined where anything else reads them. */
function onlyMoved(graph: Graph, name: string): ReadonlySet<string> | undefined {
  const moved = new Set([name]);
  for (const node of graph.nodes) {
    if ([...node.attributes.values()].some((a) => a.type === 'graph')) return undefined;
    if (!node.inputs.some((i) => moved.has(i))) continue;
    if (node.domain === '' && node.op === 'Cast' && floatTypes.has(intOf(node, 'to', 0))) continue;
    if (node.domain !== '' || !movers.has(node.op) || node.inputs.slice(1).some((i) => moved.has(i))) return undefined;
    moved.add(node.outputs[0]!);
  }
  return graph.outputs.some((v) => moved.has(v.name)) ? undefined : moved;
}
