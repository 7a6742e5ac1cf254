/** @file Operations that pick elements (their derivative adds dy back where each came from) or put elements in place. */
import { intOf } from '../../../onnx/graph.ts';
import type { Family } from '../../rule.ts';
import { inputOf, zerosLike } from '../sizes.ts';
import { gather, gatherND } from './gather.ts';
import { padGradient } from './pad.ts';
import { scatter } from './scatter.ts';
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

  ScatterElements: scatter(['ScatterElements', 'GatherElements']),
  ScatterND: scatter(['ScatterND', 'GatherND']),

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
