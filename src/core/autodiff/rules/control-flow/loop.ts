/** @file The derivative of Loop: the loop itself also saves the states each turn starts from, and a second Loop goes back through the turns that were run. */
import { bodyOf, leadDims } from '../../../onnx/passes/control-flow/loops.ts';
import { i64, tensor } from '../../../tensor/tensor.ts';
import type { FlowRule } from '../../rule.ts';
import { backBody, fresh, refuseGrowing, saving, startOf, type Turns, turnBack } from './turns.ts';

/**
 * Loop: turn j of n gives ds_j = (dF/ds)^T ds_(j+1) + (dY/ds)^T dy_j, and each captured value the sum of its part over the turns. A turn is computed again
 * from its saved state. n is the length of what was saved, so a loop may end as it likes, after no turn at all too.
 */
export const loop: FlowRule = (dy, node, scene) => {
  const { g } = scene;
  const body = bodyOf(node, 'body');
  const count = node.inputs.length - 2;
  const outputs = body.outputs.slice(1).map((_, i) => node.outputs[i] || fresh('unread', scene.taken));
  const [number, condition, ...before] = body.inputs.map((v) => v.name) as [string, string, ...string[]];
  const after = body.outputs.slice(1, 1 + count).map((v) => v.name);
  const t: Turns = {
    node,
    body,
    inits: node.inputs.slice(2),
    before,
    after,
    slices: [],
    scanned: [],
    stacked: body.outputs.slice(1 + count).map((v) => v.name),
  };
  const turn = turnBack(
    t,
    t.stacked.map((_, i) => dy[count + i]),
    scene,
  );
  if (turn.graph.outputs.length === 0) return [];
  const needed = before.filter((name) => turn.reads.has(name));
  for (const name of needed) refuseGrowing(node, name, after[before.indexOf(name)]!, scene);
  const saved = saving(t, needed.length === 0 ? [number] : needed, outputs, scene);
  g.replace(node, saved.node);
  const turns = g.op('Shape', [[...saved.stacks.values()][0]!], { start: 0, end: 1 });
  const last = g.op('Sub', [g.op('Squeeze', [turns]), g.constant(i64([1], []))]);

  const back = fresh('turn', scene.taken);
  const made = backBody(t, turn, scene, (b) => {
    b.input(back, [], 'int64');
    return b.input(fresh('goes', scene.taken), [], 'bool');
  });
  const { b } = made;
  const index = b.op('Sub', [last, back]);
  const [counter, flag] = leadDims(body);
  if (turn.reads.has(number)) b.op('Reshape', [index, b.ints(counter)], {}, number);
  if (turn.reads.has(condition)) b.op('Identity', [b.constant(tensor('bool', flag, Uint8Array.of(1)))], {}, condition);
  for (const name of needed) b.op('Gather', [saved.stacks.get(name)!, index], { axis: 0 }, name);
  for (const [i, name] of turn.stackSeeds) b.op('Gather', [dy[count + i]!, index], { axis: 0 }, name);
  const graph = made.finish();
  const start = startOf(t, turn, dy, scene);
  const results = g.ops('Loop', [turns, '', ...start], start.length, { body: { type: 'graph', value: graph } });
  return [
    ...turn.states.map((i, k) => [t.inits[i]!, results[k]!] as const),
    ...turn.captures.map((name, k) => [name, results[turn.states.length + k]!] as const),
  ];
};
