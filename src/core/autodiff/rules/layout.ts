import { UserError } from '../../errors.ts';
import { elementType } from '../../onnx/dtypes.ts';
import { intOf, intsOf, stringOf } from '../../onnx/graph.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import { inverseOf } from '../../tensor/transpose.ts';
import type { Family, PerNode, Rule } from '../rule.ts';
import { inputOf, positive, reshapeTo, type Size, sizesOf, zerosLike } from './sizes.ts';

type Op =
  | 'Reshape'
  | 'Flatten'
  | 'Squeeze'
  | 'Unsqueeze'
  | 'Transpose'
  | 'Concat'
  | 'Split'
  | 'Expand'
  | 'Tile'
  | 'Identity'
  | 'Dropout'
  | 'Cast'
  | 'CastLike'
  | 'DepthToSpace'
  | 'SpaceToDepth';

/** The elements keep their order: dx is dy in the shape of x. */
const sameOrder: Rule = ([dy], node, { reshapeLike }) => [dy === undefined ? undefined : reshapeLike(dy, inputOf(node, 0))];

const isFloat = (dtype: string): boolean => dtype.startsWith('float');

/** Between float types the identity; what comes back from an integer passes on, and ends where the integer was made. */
const casting: PerNode = {
  perNode: (node, { dtype }) => {
    const [from, to] = [dtype(inputOf(node, 0)), dtype(node.outputs[0]!)];
    if (!isFloat(to)) return 'cuts';
    return ([dy], _, { g }) => [
      dy === undefined || !isFloat(from) || from === to ? dy : g.op('Cast', [dy], { to: elementType(from) }),
    ];
  },
};

export const layout: Family<Op> = {
  Reshape: sameOrder,
  Flatten: sameOrder,
  Squeeze: sameOrder,
  Unsqueeze: sameOrder,
  Identity: ([dy]) => [dy],

  // y[i] = x[i permuted]: dx by the inverse permutation
  Transpose: ([dy], node, { g, dims }) => {
    if (dy === undefined) return [];
    const rank = dims(inputOf(node, 0)).length;
    const perm = intsOf(
      node,
      'perm',
      Array.from({ length: rank }, (_, i) => rank - 1 - i),
    );
    return [g.op('Transpose', [dy], { perm: inverseOf(perm) })];
  },

  // dx_i is the part of dy that x_i became
  Concat: ([dy], node, { g, dims }) => {
    if (dy === undefined) return [];
    if (node.inputs.length === 1) return [dy];
    const axis = positive(intOf(node, 'axis', 0), dims(node.outputs[0]!).length);
    const sizes = node.inputs.map((x) => dims(x)[axis]!);
    const split = sizes.every((s) => s !== null)
      ? g.ints(sizes)
      : g.op(
          'Concat',
          node.inputs.map((x) => g.op('Shape', [x], { start: axis, end: axis + 1 })),
          { axis: 0 },
        );
    return g.ops('Split', [dy, split], node.inputs.length, { axis });
  },

  // dx is the parts put together again; a part nobody used is zero
  Split: (dys, node, scene) => {
    const parts = node.outputs.map((y, i) => dys[i] ?? zerosLike(scene, y));
    return [parts.length === 1 ? parts[0] : scene.g.op('Concat', parts, { axis: intOf(node, 'axis', 0) })];
  },

  Expand: { broadcasting: ([dy]) => [dy] },

  // y[.., r d + i, ..] = x[.., i, ..]: dx = sum over the repetitions r
  Tile: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const [x, repeats] = [inputOf(node, 0), inputOf(node, 1)];
    const sizes = sizesOf(scene, x);
    const known = scene.constant(repeats);
    if (known === undefined) {
      const columns = [repeats, scene.shape(x)].map((list) => g.op('Unsqueeze', [list, g.ints([1])]));
      const interleaved = g.op('Reshape', [g.op('Concat', columns, { axis: 1 }), g.ints([-1])]);
      return [g.op('ReduceSum', [g.op('Reshape', [dy, interleaved]), g.ints(sizes.map((_, axis) => 2 * axis))], { keepdims: 0 })];
    }
    const parts: Size[] = [];
    const axes: number[] = [];
    for (const [axis, count] of numbersOf(known).entries()) {
      if (count !== 1) axes.push(parts.push(count) - 1);
      parts.push(sizes[axis]!);
    }
    return [axes.length === 0 ? dy : g.op('ReduceSum', [reshapeTo(scene, dy, parts), g.ints(axes)], { keepdims: 0 })];
  },

  // evaluation mode: the identity
  Dropout: ([dy], node, { constant }) => {
    const mode = node.inputs[2];
    if (mode !== undefined && mode !== '') {
      const value = constant(mode);
      if (value === undefined || numbersOf(value)[0] !== 0) {
        throw new UserError(
          `Dropout "${node.name}" is in training mode, so its gradient depends on a mask drawn inside the graph`,
          'export the model in evaluation mode',
        );
      }
    }
    return [dy];
  },

  Cast: casting,
  CastLike: casting,

  // a permutation of the elements; SpaceToDepth undoes the depth-column-row order, column-row-depth is undone by hand
  DepthToSpace: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const block = intOf(node, 'blocksize', 1);
    if (stringOf(node, 'mode', 'DCR') === 'DCR') return [g.op('SpaceToDepth', [dy], { blocksize: block })];
    const [n, , h, w] = sizesOf(scene, x);
    const [, c] = sizesOf(scene, node.outputs[0]!);
    const split = reshapeTo(scene, dy, [n!, c!, h!, block, w!, block]);
    return [scene.reshapeLike(g.op('Transpose', [split], { perm: [0, 1, 3, 5, 2, 4] }), x)];
  },

  SpaceToDepth: ([dy], node, { g }) =>
    dy === undefined ? [] : [g.op('DepthToSpace', [dy], { blocksize: intOf(node, 'blocksize', 1), mode: 'DCR' })],
};
