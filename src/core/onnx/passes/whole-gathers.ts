import type { Tensor } from '../../tensor/tensor.ts';
import { type Graph, intOf } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/** Gather of every element of a list in order (how PyTorch's exporter writes as_strided of a contiguous tensor) is a Reshape. */
export function wholeGathers(graph: Graph, shapes: ShapeTable): Graph {
  return rewrite(graph, (node, g, around) => {
    if (node.op !== 'Gather' || node.domain !== '' || intOf(node, 'axis', 0) !== 0) return false;
    const indices = around.initializers.get(node.inputs[1]!);
    const dims = shapes.get(node.inputs[0]!)?.dims;
    if (indices === undefined || dims?.length !== 1 || dims[0] !== indices.data.length || !counts(indices)) return false;
    g.ops('Reshape', [node.inputs[0]!, g.ints(indices.dims)], [node.outputs[0]!]);
    return true;
  });
}

const counts = ({ dtype, data }: Tensor): boolean => dtype !== 'string' && data.every((v, i) => Number(v) === i);
