/** @file Spiking neurons inside loops whose length the data decide: they cannot be taken apart into steps. */
import { bodiesOf, describeNode, type Graph, type Node, producersOf } from '../onnx/graph.ts';
import { hasBody } from '../onnx/passes/rewrite.ts';

const comparisons = new Set(['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Identity', 'Clip', 'Where', 'Cast', 'Sum']);

/** The Loops and Scans of a graph, as messages name them, in which a comparison that is cast to floats looks at a state that is carried from turn to turn and changes it. */
export const spikesInLoops = (graph: Graph): string[] =>
  graph.nodes
    .filter(hasBody)
    .flatMap((node) => [
      ...(isLoop(node) && bodiesOf(node).some((body) => carriesSpikes(node, body)) ? [describeNode(node)] : []),
      ...bodiesOf(node).flatMap(spikesInLoops),
    ]);

const isLoop = (node: Node): boolean => node.op === 'Loop' || node.op === 'Scan';

function carriesSpikes(node: Node, body: Graph): boolean {
  const producers = producersOf(body);
  const madeOf = (name: string): Set<string> => {
    const seen = new Set<string>();
    const open = [name];
    while (open.length > 0) {
      const next = open.pop()!;
      if (seen.has(next)) continue;
      seen.add(next);
      const made = producers.get(next);
      if (made !== undefined && elementwise.has(made.op)) open.push(...made.inputs);
    }
    return seen;
  };
  const fires = body.nodes.filter(
    (n) => comparisons.has(n.op) && body.nodes.some((user) => user.op === 'Cast' && user.inputs[0] === n.outputs[0]),
  );
  // of a Loop: turn and condition come first among the inputs, the condition among the outputs
  const [firstIn, firstOut] = node.op === 'Loop' ? [2, 1] : [0, 0];
  const states = body.inputs.slice(firstIn).map((v) => v.name);
  return states.some((state, i) => {
    const next = body.outputs[firstOut + i];
    return (
      next !== undefined &&
      fires.some((f) => f.inputs.some((operand) => madeOf(operand).has(state)) && madeOf(next.name).has(f.outputs[0]!))
    );
  });
}
