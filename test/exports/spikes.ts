/** @file The spikes of an exported net, and what stands in for their derivative: the arctangent of Fang et al. 2021 (arXiv 2007.05785), alpha = 2. */
import type { Twin } from '../../src/core/autodiff/substitutes.ts';
import { graphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph, Node } from '../../src/core/onnx/graph.ts';

const steps = new Set(['Greater', 'Sign']);
const shapes = new Set(['Cast', 'Where', 'Relu']);

/** For every spike, from what is compared with 0 to the 0 or 1 it becomes, atan(pi u) / pi + 1/2: its derivative is 1 / (1 + (pi u)^2). */
export const arctangentTwins = (graph: Graph): Twin[] =>
  graph.nodes
    .filter((n) => steps.has(n.op))
    .map((step) => {
      const spike = graph.nodes.find((n) => shapes.has(n.op) && n.inputs[0] === step.outputs[0]);
      if (spike === undefined) throw new Error(`${step.op} "${step.outputs[0]}" makes no spike`);
      return twin(step, spike);
    });

function twin(step: Node, spike: Node): Twin {
  const g = graphBuilder({ name: 'arctangent' });
  const u = g.input('u', [null]);
  const angle = g.op('Atan', [g.op('Mul', [u, g.number(Math.PI)])]);
  g.op('Add', [g.op('Div', [angle, g.number(Math.PI)]), g.number(0.5)], {}, 's');
  g.output('s', [null]);
  return { label: 'arctangent, alpha 2', inputs: [step.inputs[0]!], outputs: [spike.outputs[0]!], graph: g.build() };
}
