/** @file Operations along a sequence of positions: reversed parts, running products, caches written at places the data gives. */
import { UserError } from '../../errors.ts';
import { describeNode, intOf, stringOf } from '../../onnx/graph.ts';
import { numbersOf, tensor } from '../../tensor/tensor.ts';
import type { Family } from '../rule.ts';
import { inputOf, positive, zerosLike } from './sizes.ts';

type Op = 'ReverseSequence' | 'CumProd' | 'TensorScatter';

export const sequences: Family<Op> = {
  // the first elements of each sequence in reverse order: dx is dy reversed in the same way
  ReverseSequence: ([dy], node, { g }) =>
    dy === undefined ? [] : [g.op('ReverseSequence', [dy, inputOf(node, 1)], Object.fromEntries(node.attributes))],

  // y_i = product of x_k over k <= i: dx_j = sum over i of dy_i times the product without x_j, for all j at once, so zeros need no care
  CumProd: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const dims = scene.dims(x);
    const given = scene.constant(inputOf(node, 1));
    const axis = given === undefined ? undefined : positive(numbersOf(given)[0]!, dims.length);
    const n = axis === undefined ? undefined : dims[axis];
    if (axis === undefined || typeof n !== 'number') {
      throw new UserError(
        `${describeNode(node)}: the axis and its size are not fixed, and the derivative needs them`,
        'export the model with fixed sizes',
      );
    }
    const [exclusive, reverse] = [intOf(node, 'exclusive', 0), intOf(node, 'reverse', 0)];
    const last = dims.length - 1;
    const swap = dims.map((_, i) => (i === axis ? last : i === last ? axis : i));
    const turned = (value: string): string => (axis === last ? value : g.op('Transpose', [value], { perm: swap }));
    const square = (value: (j: number, i: number) => boolean): string => {
      const flags = Uint8Array.from({ length: n * n }, (_, at) => (value(Math.floor(at / n), at % n) ? 1 : 0));
      return g.constant(tensor('bool', [n, n], flags));
    };
    const [one, zero] = [scene.number(1, scene.dtype(x)), scene.number(0, scene.dtype(x))];
    const row = (value: string): string => g.op('Unsqueeze', [turned(value), g.ints([last])]);
    // row j holds the factors with x_j replaced by 1
    const factors = g.op('Where', [square((j, i) => j === i), one, row(x)]);
    const products = g.op('CumProd', [factors, g.op('Squeeze', [g.ints([last + 1])])], { exclusive, reverse });
    const depends = square((j, i) => (j === i ? exclusive === 0 : reverse === 1 ? j > i : j < i));
    const shares = g.op('Where', [depends, g.op('Mul', [products, row(dy)]), zero]);
    return [turned(g.op('ReduceSum', [shares, g.ints([last + 1])], { keepdims: 0 }))];
  },

  // y = a cache with an update written from a position on, per sample: the cache gets dy outside, the update dy inside
  TensorScatter: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g, active } = scene;
    const [cache, update] = [inputOf(node, 0), inputOf(node, 1)];
    const rank = scene.dims(cache).length;
    const axis = positive(intOf(node, 'axis', -2), rank);
    const written = node.inputs.slice(2);
    const attributes = Object.fromEntries(node.attributes);
    const toUpdate = (): string => {
      const [zero, one] = [g.op('Squeeze', [g.ints([0])]), g.op('Squeeze', [g.ints([1])])];
      const size = (value: string): string => g.op('Shape', [value], { start: axis, end: axis + 1 });
      const steps = g.op('Range', [zero, g.op('Squeeze', [size(update)]), one]);
      const along = g.op('Reshape', [steps, g.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)))]);
      const start = written[0]
        ? g.op('Reshape', [written[0], g.ints([-1, ...new Array<number>(rank - 1).fill(1)])])
        : g.ints([0]);
      const places = g.op('Add', [along, start]);
      const wrapped = stringOf(node, 'mode', 'linear') === 'circular' ? g.op('Mod', [places, size(cache)]) : places;
      return g.op('GatherElements', [dy, g.op('Expand', [wrapped, g.op('Shape', [update])])], { axis });
    };
    return [
      active(0) ? g.op('TensorScatter', [dy, zerosLike(scene, update), ...written], attributes) : undefined,
      active(1) ? toUpdate() : undefined,
    ];
  },
};
