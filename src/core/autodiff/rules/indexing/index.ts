/** @file Operations that pick elements (their derivative adds dy back where each came from) or put elements in place. */
import { UserError } from '../../../errors.ts';
import { describeNode, intOf, type Node, stringOf } from '../../../onnx/graph.ts';
import type { Family, Rule } from '../../rule.ts';
import { inputOf, zerosLike } from '../sizes.ts';
import { gather, gatherND } from './gather.ts';
import { padGradient } from './pad.ts';
import { slice } from './slice.ts';

type Op = 'Slice' | 'Gather' | 'GatherElements' | 'GatherND' | 'Pad' | 'ScatterElements' | 'ScatterND' | 'TopK' | 'Trilu';

export const indexing: Family<Op> = {
  // y = x[start : end : step]: dx is dy spread out again
  Slice: ([dy], node, scene) => [dy === undefined ? undefined : slice(scene, node, dy)],

  // y = x[.., i, ..]: dx[.., i, ..] += dy
  Gather: ([dy], node, scene) => [dy === undefined ? undefined : gather(scene, node, dy)],
  GatherND: ([dy], node, scene) => [dy === undefined ? undefined : gatherND(scene, node, dy)],
  GatherElements: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, indices] = [inputOf(node, 0), inputOf(node, 1)];
    const axis = intOf(node, 'axis', 0);
    return [scene.g.op('ScatterElements', [zerosLike(scene, x), indices, dy], { axis, reduction: 'add' })];
  },

  Pad: ([dy], node, scene) => (dy === undefined ? [] : padGradient(scene, node, dy)),

  // y = x with updates u put (or added) at positions i: dx = dy (without those positions, unless added), du = dy at i
  ScatterElements: scatter('ScatterElements', 'GatherElements'),
  ScatterND: scatter('ScatterND', 'GatherND'),

  // y = x at the indices of its k largest along an axis
  TopK: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const zeros = zerosLike(scene, inputOf(node, 0));
    return [scene.g.op('ScatterElements', [zeros, node.outputs[1]!, dy], { axis: intOf(node, 'axis', -1) })];
  },

  // y = x above (or below) a diagonal, 0 elsewhere
  Trilu: ([dy], node, { g }) =>
    dy === undefined ? [] : [g.op('Trilu', [dy, ...node.inputs.slice(1)], { upper: intOf(node, 'upper', 1) })],
};

function scatter(write: 'ScatterElements' | 'ScatterND', read: 'GatherElements' | 'GatherND'): Rule {
  return ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g, active } = scene;
    const [indices, updates] = [inputOf(node, 1), inputOf(node, 2)];
    const attrs = write === 'ScatterElements' ? { axis: intOf(node, 'axis', 0) } : {};
    const kept = adds(node) ? dy : g.op(write, [dy, indices, zerosLike(scene, updates)], attrs);
    return [active(0) ? kept : undefined, undefined, active(2) ? g.op(read, [dy, indices], attrs) : undefined];
  };
}

function adds(node: Node): boolean {
  const reduction = stringOf(node, 'reduction', 'none');
  if (reduction === 'none') return false;
  if (reduction === 'add') return true;
  throw new UserError(
    `${describeNode(node)} has no derivative rule for reduction ${reduction}`,
    'export the model with reduction none or add, or attack without gradients',
  );
}
