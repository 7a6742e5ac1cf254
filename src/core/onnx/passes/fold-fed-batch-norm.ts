/** @file BatchNormalization with fixed statistics that are fed or computed, folded into the convolution before it while the graph runs. */
import { consumersOf, floatOf, type Graph, intOf, type Node, producersOf } from '../graph.ts';
import { dropDead } from './drop-dead.ts';
import { rewrite } from './rewrite.ts';
import type { ShapeTable } from './shapes.ts';

/**
 * conv(x, W, b) normalised is conv(x, W k, (b - mean) k + shift) with k = scale / sqrt(variance + eps): two walks over the map less, there and back.
 * Where statistics are constants, fold-batch-norm.ts does it once and for all. Convolutions with another reader stay as they are.
 */
export function foldFedBatchNorm(graph: Graph, shapes: ShapeTable): Graph {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const shown = new Set(graph.outputs.map((v) => v.name));
  const before = (node: Node): Node | undefined => {
    const conv = producers.get(node.inputs[0]!);
    const own =
      conv?.op === 'Conv' && conv.domain === '' && consumers.get(conv.outputs[0]!)?.length === 1 && !shown.has(conv.outputs[0]!);
    return own ? conv : undefined;
  };
  const folded = rewrite(graph, (node, g) => {
    if (node.domain !== '' || node.op !== 'BatchNormalization' || intOf(node, 'training_mode', 0) !== 0) return false;
    const conv = before(node);
    const rank = conv === undefined ? undefined : shapes.get(conv.inputs[1]!)?.dims.length;
    if (conv === undefined || rank === undefined) return false;
    const [, scale, shift, mean, variance] = node.inputs as [string, string, string, string, string];
    const [x, weights, bias] = conv.inputs as [string, string, string?];
    const deviation = g.op('Sqrt', [g.op('Add', [variance, g.number(floatOf(node, 'epsilon', 1e-5))])]);
    const k = g.op('Div', [scale, deviation]);
    const perOutput = g.op('Reshape', [k, g.ints([-1, ...Array.from({ length: rank - 1 }, () => 1)])]);
    const centre = bias === undefined || bias === '' ? g.op('Neg', [mean]) : g.op('Sub', [bias, mean]);
    const offset = g.op('Add', [g.op('Mul', [centre, k]), shift]);
    const output = node.outputs[0]!;
    g.add({ ...conv, name: output, inputs: [x, g.op('Mul', [weights, perOutput]), offset], outputs: [output] });
    return true;
  });
  return dropDead(folded);
}
