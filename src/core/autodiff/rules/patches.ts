/** @file Pieces of an image put in place: patches added up where they overlap, and an image cut or padded around its centre. */
import { intsOf, type Node } from '../../onnx/graph.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import type { Family, Scene } from '../rule.ts';
import { inputOf, positive, sizeList, sizesOf } from './sizes.ts';
import { windowsOf } from './window.ts';

type Op = 'Col2Im' | 'CenterCropPad';

export const patches: Family<Op> = {
  // y is the sum of x's patches [N, C k, L], each at its place: dx is dy cut into the same patches
  Col2Im: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const channels = scene.dims(node.outputs[0]!)[1]!;
    const places = placesOf(node, scene);
    const image = g.op('Reshape', [dy, g.ints([0, channels, -1])]);
    // what lies in the padding was dropped: it reads the zero appended behind the image
    const padded = g.op('Pad', [image, g.ints([0, 0, 0, 0, 0, 1])]);
    return [scene.reshapeLike(g.op('Gather', [padded, g.ints(places)], { axis: 2 }), inputOf(node, 0))];
  },
  // y is x cut or filled with zeros to another size, evenly on both sides: dx is dy brought to the size of x in the same way
  CenterCropPad: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const sizes = sizesOf(scene, inputOf(node, 0));
    const axes = intsOf(
      node,
      'axes',
      sizes.map((_, axis) => axis),
    ).map((axis) => positive(axis, sizes.length));
    const wanted = sizeList(
      scene,
      axes.map((axis) => sizes[axis]!),
    );
    return [scene.g.op('CenterCropPad', [dy, wanted], { axes })];
  },
};

/** Where in the flattened image each element of each patch lies, patch elements first; one behind its end for what lies in the padding. */
function placesOf(node: Node, scene: Scene): number[] {
  const list = (input: number): number[] => {
    const value = scene.constant(inputOf(node, input));
    if (value === undefined) throw new Error(`${node.op} "${node.name}": the sizes of image and patch must be constants`);
    return numbersOf(value);
  };
  const [image, block] = [list(1), list(2)];
  const { strides, dilations, padsBegin, padsEnd } = windowsOf(node, block);
  const counts = image.map((size, i) => {
    const span = size + padsBegin[i]! + padsEnd[i]! - dilations[i]! * (block[i]! - 1) - 1;
    return Math.floor(span / strides[i]!) + 1;
  });
  const end = image.reduce((product, size) => product * size, 1);
  return indicesOf(block).flatMap((k) =>
    indicesOf(counts).map((o) => {
      const at = image.map((_, i) => o[i]! * strides[i]! + k[i]! * dilations[i]! - padsBegin[i]!);
      const inside = at.every((p, i) => p >= 0 && p < image[i]!);
      return inside ? at.reduce((flat, p, i) => flat * image[i]! + p, 0) : end;
    }),
  );
}

/** Every index of the given sizes, the last axis fastest. */
const indicesOf = (sizes: readonly number[]): number[][] =>
  sizes.reduce<number[][]>((heads, size) => heads.flatMap((head) => Array.from({ length: size }, (_, i) => [...head, i])), [[]]);
