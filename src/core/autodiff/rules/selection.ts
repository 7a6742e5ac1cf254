/** @file Elements kept by a condition, put where indices say, or chosen between two values. */
import { UserError } from '../../errors.ts';
import { elementType } from '../../onnx/dtypes.ts';
import { describeNode, intOf, type Node } from '../../onnx/graph.ts';
import { f32, numbersOf } from '../../tensor/tensor.ts';
import type { Family } from '../rule.ts';
import { inputOf, positive } from './sizes.ts';
import { pad } from './spread.ts';
import { poolWindows } from './window.ts';

type Op = 'Compress' | 'MaxUnpool' | 'OneHot';

const refused = (node: Node, what: string, remedy: string): UserError =>
  new UserError(`${describeNode(node)} has no derivative rule for ${what}`, remedy);

export const selection: Family<Op> = {
  // y = the elements of x (flattened, or along an axis) whose condition is true: dx is dy there, zero elsewhere
  Compress: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const kept = scene.constant(inputOf(node, 1));
    if (kept === undefined) throw refused(node, 'a condition that is computed', 'multiply by the condition instead');
    const dims = scene.dims(x);
    const given = intOf(node, 'axis');
    const axis = given === undefined ? 0 : positive(given, dims.length);
    const sizes = given === undefined ? dims : [dims[axis]!];
    if (!sizes.every((s) => s !== null)) throw refused(node, 'a size that is not fixed', 'export the model with fixed sizes');
    const flags = numbersOf(kept);
    const count = flags.filter((f) => f !== 0).length;
    let seen = 0;
    const sources = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => (flags[i] ? seen++ : count));
    // what was left out reads a zero appended behind the rest
    const padded = pad(scene, dy, given === undefined ? 1 : dims.length, [{ axis, before: 0, after: 1 }]);
    const dx = g.op('Gather', [padded, g.ints(sources)], { axis });
    return [given === undefined ? scene.reshapeLike(dx, x) : dx];
  },

  // y = zeros with x put at the given places of the whole tensor: dx is dy at those places
  MaxUnpool: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const [x, y] = [inputOf(node, 0), node.outputs[0]!];
    const { kernel, strides, padsBegin, padsEnd } = poolWindows(node);
    const size = (from: number | null, i: number): number | null =>
      from === null ? null : (from - 1) * strides[i]! - padsBegin[i]! - padsEnd[i]! + kernel[i]!;
    const usual = scene.dims(x).slice(2).map(size);
    if (
      scene
        .dims(y)
        .slice(2)
        .some((d, i) => d !== usual[i])
    ) {
      throw refused(node, 'another output_shape than the one its windows give', 'pad after it instead');
    }
    const flat = g.op('Reshape', [dy, g.ints([-1])]);
    return [g.op('Gather', [flat, inputOf(node, 1)], { axis: 0 })];
  },

  // y = off or on, at the place each index names: the two values get what of dy lies off and on
  OneHot: {
    perNode: (node, { constant }) => {
      const [indices, depth, values] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
      if (constant(values) !== undefined) return 'cuts';
      return ([dy], _, { g, dtype }) => {
        if (dy === undefined) return [];
        const choice = g.constant(f32([0, 1]));
        const chosen = g.op('OneHot', [indices, depth, choice], { axis: intOf(node, 'axis', -1) });
        const on = dtype(values) === 'float32' ? chosen : g.op('Cast', [chosen], { to: elementType(dtype(values)) });
        const total = (value: string): string => g.op('Reshape', [g.op('ReduceSum', [value], { keepdims: 0 }), g.ints([1])]);
        const toOn = total(g.op('Mul', [dy, on]));
        return [undefined, undefined, g.op('Concat', [g.op('Sub', [total(dy), toOn]), toOn], { axis: 0 })];
      };
    },
  },
};
