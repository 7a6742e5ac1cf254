import { UserError } from '../../errors.ts';
import { describeNode, intOf, intsOf, type Node } from '../../onnx/graph.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { algebra } from '../algebra.ts';
import type { Family, Scene } from '../rule.ts';
import { floatConstant } from './constants.ts';
import { asImage, asRows, read, samplesAt, toPositions, toRows } from './samples.ts';
import { inputOf } from './sizes.ts';
import { windowsOf } from './window.ts';

type Op = 'DeformConv';

export const deformable: Family<Op> = {
  // each tap k reads the image beside its place, by the offset: y = W (mask x(place + offset)) + b
  DeformConv: ([dy], node, scene) => (dy === undefined ? [] : deformConv(scene, node, dy)),
};

const sizesOf = (scene: Scene, node: Node, name: string): number[] =>
  scene
    .dims(name)
    .slice(1)
    .map((size) => {
      if (size !== null) return size;
      throw new UserError(
        `${describeNode(node)}: a size of "${name}" is not fixed, and the derivative needs it`,
        'export the model with fixed sizes',
      );
    });

/**
 * With columns C[k, p] = mask[k, p] s[k, p], s what the image shows at each place: dC = W^T dY, dW = dY C^T, dmask = dC s, and ds = mask dC goes on
 * to the pixels around each place, and to the place.
 */
function deformConv(scene: Scene, node: Node, dy: string): readonly (string | undefined)[] {
  const { g, active } = scene;
  const [x, weights, offset] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
  const mask = node.inputs[4] || undefined;
  const m = algebra(scene, x);
  const [channels, ...space] = sizesOf(scene, node, x) as [number, number, number];
  const [filters, ...out] = sizesOf(scene, node, node.outputs[0]!) as [number, number, number];
  if (space.length !== 2)
    throw new UserError(`${describeNode(node)} has no derivative rule in ${space.length} dimensions`, 'use two dimensions');
  const { kernel, strides, dilations, padsBegin } = windowsOf(
    node,
    intsOf(node, 'kernel_shape') ?? sizesOf(scene, node, weights).slice(1),
  );
  const [groups, parts] = [intOf(node, 'group', 1), intOf(node, 'offset_group', 1)];
  const [taps, places] = [sizeOf(kernel), sizeOf(out)];
  const width = channels / parts;
  const dtype = m.dtype === 'float64' ? 'float64' : 'float32';

  // batch and offset groups are one axis, taps and places another
  const moved = g.op('Reshape', [offset, g.ints([-1, taps, 2, places])]);
  const axes = space.map((size, axis) => {
    const regular = Float64Array.from({ length: taps * places }, (_, i) => {
      const [k, p] = [Math.floor(i / places), i % places];
      const [tap, place] = axis === 0 ? [Math.floor(k / kernel[1]!), Math.floor(p / out[1])] : [k % kernel[1]!, p % out[1]];
      return place * strides[axis]! - padsBegin[axis]! + tap * dilations[axis]!;
    });
    const shift = g.op('Reshape', [g.op('Gather', [moved, g.ints([axis])], { axis: 2 }), g.ints([-1, taps * places])]);
    return { size, at: m.add(shift, floatConstant(g, regular, [taps * places], dtype)) };
  });
  const image = g.op('Reshape', [x, g.ints([-1, width, ...space])]);
  const samples = samplesAt(scene, axes, 'linear', x);
  const rows = asRows(scene, image, width);
  const seen = read(scene, rows, samples);
  const summed = (): string =>
    g.op('ReduceSum', [m.mul(seen, g.op('Unsqueeze', [samples.weights, g.ints([3])])), g.ints([2])], { keepdims: 0 });
  const shown = mask === undefined ? undefined : g.op('Reshape', [mask, g.ints([-1, taps * places, 1])]);
  const masked = (value: string): string => (shown === undefined ? value : m.mul(value, shown));

  const grouped = g.op('Reshape', [dy, g.ints([-1, groups, filters / groups, places])]);
  const matrices = g.op('Reshape', [weights, g.ints([groups, filters / groups, -1])]);
  const product = g.op('MatMul', [g.op('Transpose', [matrices], { perm: [0, 2, 1] }), grouped]);
  const dC = g.op('Transpose', [g.op('Reshape', [product, g.ints([-1, width, taps * places])])], { perm: [0, 2, 1] });
  const ds = masked(dC);
  const toWeights = (): string => {
    const columns = g.op('Transpose', [masked(summed())], { perm: [0, 2, 1] });
    const perGroup = g.op('Reshape', [columns, g.ints([-1, groups, (channels / groups) * taps, places])]);
    const all = g.op('MatMul', [grouped, g.op('Transpose', [perGroup], { perm: [0, 1, 3, 2] })]);
    return scene.reshapeLike(g.op('ReduceSum', [all, g.ints([0])], { keepdims: 0 }), weights);
  };
  const toOffset = (): string => {
    const along = toPositions(scene, ds, seen, samples).map((d) => g.op('Reshape', [d, g.ints([-1, taps, 1, places])]));
    return scene.reshapeLike(g.op('Concat', along, { axis: 2 }), offset);
  };
  const toImage = (): string => asImage(scene, toRows(scene, ds, rows, samples, width, x), x, sizeOf(space), width);
  return [
    active(0) ? toImage() : undefined,
    active(1) ? toWeights() : undefined,
    active(2) ? toOffset() : undefined,
    active(3) ? g.op('ReduceSum', [dy, g.ints([0, 2, 3])], { keepdims: 0 }) : undefined,
    active(4) && mask !== undefined
      ? scene.reshapeLike(g.op('ReduceSum', [m.mul(dC, summed()), g.ints([2])], { keepdims: 0 }), mask)
      : undefined,
  ];
}
