/** @file A rough measure of what a node costs, to tell which part of a graph is worth sharing. */
import type { Node } from '../../graph.ts';
import { elementsOf } from './axes.ts';
import type { Scene } from './timed.ts';

/** Multiply-accumulates of convolutions, matrix products and recurrent nodes for one sample, elements written by any other node. */
export function workOf(node: Node, scene: Scene): number {
  const size = (name: string): number => {
    const axes = scene.axes(name);
    if (axes !== undefined) return elementsOf(axes, scene.timed(name)?.last.length ?? 1);
    return (scene.dims(name) ?? []).reduce<number>((n, d) => n * (d ?? 1), 1);
  };
  const written = node.outputs.reduce((n, name) => n + (name === '' ? 0 : size(name)), 0);
  const weights = scene.dims(node.inputs[1] ?? '') ?? [];
  switch (node.op) {
    case 'Conv':
      return written * weights.slice(1).reduce<number>((n, d) => n * (d ?? 1), 1);
    case 'MatMul':
    case 'Gemm':
      return written * (scene.dims(node.inputs[0]!)?.at(-1) ?? 1);
    // every step multiplies by all weights, [gates, inputs] and [gates, hidden]
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return (scene.dims(node.inputs[0]!)?.[0] ?? 1) * [1, 2].reduce((n, i) => n + size(node.inputs[i]!), 0);
    default:
      return written;
  }
}
