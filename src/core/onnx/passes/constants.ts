import { f32, i64, scalar, type Tensor, tensor } from '../../tensor/tensor.ts';
import type { Graph, Node } from '../graph.ts';
import { rewrite } from './rewrite.ts';

/** Constant nodes become initializers, in bodies of control-flow nodes too; sparse constants, and those that are themselves a result, stay nodes. */
export function constantsToInitializers(graph: Graph): Graph {
  return rewrite(graph, (node, g, around) => {
    const name = node.outputs[0]!;
    if (around.outputs.some((v) => v.name === name)) return false;
    const value = constantOf(node);
    if (value === undefined) return false;
    g.constant(value, name);
    return true;
  });
}

/** The tensor a Constant node stands for; undefined for other nodes and for what the IR cannot hold. */
export function constantOf(node: Node): Tensor | undefined {
  if (node.op !== 'Constant' || node.domain !== '') return undefined;
  for (const [name, a] of node.attributes) {
    if (name === 'value' && a.type === 'tensor') return a.value;
    if (name === 'value_float' && a.type === 'float') return scalar(a.value);
    if (name === 'value_floats' && a.type === 'floats') return f32(a.value);
    if (name === 'value_int' && a.type === 'int') return i64([a.value], []);
    if (name === 'value_ints' && a.type === 'ints') return i64(a.value);
    if (name === 'value_string' && a.type === 'string') return tensor('string', [], [a.value]);
    if (name === 'value_strings' && a.type === 'strings') return tensor('string', [a.value.length], [...a.value]);
  }
  return undefined;
}
