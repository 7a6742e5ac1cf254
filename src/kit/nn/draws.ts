/** @file What a network draws when it is used (codes of spikes): inputs while it is trained and judged, nodes of the file that is handed out. */
import { attributes, graphBuilder } from '../../core/onnx/builder.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { RandomSpec } from '../model/model.ts';
import type { NoiseInput } from './net.ts';

const letters = 'ABCDEFGHIJ';

/** Random inputs as a model states them, fed by oracles per sample. */
export const randomsOf = (noise: readonly NoiseInput[]): Record<string, RandomSpec> =>
  Object.fromEntries(
    noise.map(({ name, kind, shape }): [string, RandomSpec] => [
      name,
      { kind, shape, layout: `N${letters.slice(0, shape.length)}`, dtype: 'float32', node: name },
    ]),
  );

/** The graph with nodes that draw in place of its random inputs, in their order; each draws [N, ...shape] anew for every run. */
export function drawing(graph: Graph, noise: readonly NoiseInput[]): Graph {
  if (noise.length === 0) return graph;
  const names = new Set(noise.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !names.has(name));
  const g = graphBuilder({ from: { ...graph, inputs, nodes: [] }, taken: new Set(graph.nodes.flatMap((n) => n.outputs)) });
  const batch = g.op('Shape', [inputs[0]!.name], { start: 0, end: 1 });
  for (const { name, kind, shape } of noise) {
    const zeros = g.op('ConstantOfShape', [g.op('Concat', [batch, g.ints(shape)], { axis: 0 })]);
    const op = kind === 'uniform' ? 'RandomUniformLike' : 'RandomNormalLike';
    g.add({ op, domain: '', name, inputs: [zeros], outputs: [name], attributes: attributes({ dtype: 1 }) });
  }
  const head = g.build();
  return { ...head, nodes: [...head.nodes, ...graph.nodes] };
}
