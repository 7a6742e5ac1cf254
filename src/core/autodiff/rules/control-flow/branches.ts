/** @file The derivative of If: an If on the same condition, whose branches compute their part again and go back through it. */
import { UserError } from '../../../errors.ts';
import { describeNode, freeIn, type Graph, type Node } from '../../../onnx/graph.ts';
import { bodyOf } from '../../../onnx/passes/control-flow/loops.ts';
import type { FlowRule, FlowScene } from '../../rule.ts';

/** If: a value both branches may capture gets what the branch taken has for it, zeros where that one does not read it. */
export const branches: FlowRule = (dy, node, scene) => {
  const [yes, no] = [bodyOf(node, 'then_branch'), bodyOf(node, 'else_branch')];
  const wrt = [...new Set([...freeIn(yes), ...freeIn(no)])].filter(
    (name) => scene.onPath(name) && scene.dtype(name).startsWith('float'),
  );
  if (wrt.length === 0) return [];
  const back = (branch: Graph): Graph => {
    const seeds = branch.outputs.flatMap(({ name }, i) => (dy[i] === undefined ? [] : [[name, dy[i]] as const]));
    return { ...scene.differentiate(branch, seeds, wrt), opsets: new Map(), name: `${branch.name}_back` };
  };
  const [thenBack, elseBack] = [back(yes), back(no)];
  for (const i of dy.keys()) if (dy[i] !== undefined) refuseUnequal(node, yes, no, i, scene);
  const made = scene.g.ops('If', [node.inputs[0]!], wrt.length, {
    then_branch: { type: 'graph', value: thenBack },
    else_branch: { type: 'graph', value: elseBack },
  });
  return wrt.map((name, i) => [name, made[i]!]);
};

/** Sizes behind the If are known only where both branches give the same. */
function refuseUnequal(node: Node, yes: Graph, no: Graph, output: number, scene: FlowScene): void {
  const [a, b] = [yes, no].map((branch) => scene.dims(branch.outputs[output]!.name).map((d) => d ?? '?')) as [
    unknown[],
    unknown[],
  ];
  if (a.join() === b.join()) return;
  throw new UserError(
    `${describeNode(node)} lies on the gradient path, and its branches give different sizes: [${a.join(', ')}] and [${b.join(', ')}]`,
    'let both branches give the same sizes, or attack the model without gradients',
  );
}
