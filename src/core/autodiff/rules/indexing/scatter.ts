/** @file Elements written to places of a tensor, or reduced with what lies there. */
import { UserError } from '../../../errors.ts';
import { describeNode, intOf, type Node, stringOf } from '../../../onnx/graph.ts';
import { algebra } from '../../algebra.ts';
import type { Rule, Scene } from '../../rule.ts';
import { inputOf, zerosLike } from '../sizes.ts';

/** The operation, and the one that reads what it wrote. */
type Pair = readonly ['ScatterElements', 'GatherElements'] | readonly ['ScatterND', 'GatherND'];

/** What a rule needs of its node: `put` scatters onto a value of x's shape, `read` takes the elements of such a value at the indices. */
interface Places {
  put(onto: string, values: string, reduction?: 'add' | 'mul'): string;
  read(value: string): string;
}

/** y = x with updates u put at positions i, or reduced with x there. */
export const scatter =
  (pair: Pair): Rule =>
  ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { active } = scene;
    const places = placesOf(pair, node, scene);
    const reduction = stringOf(node, 'reduction', 'none');
    switch (reduction) {
      // dx = dy without those positions, du = dy at i
      case 'none':
        return [
          active(0) ? places.put(dy, zerosLike(scene, inputOf(node, 2))) : undefined,
          undefined,
          active(2) ? places.read(dy) : undefined,
        ];
      // dx = dy, du = dy at i
      case 'add':
        return [dy, undefined, active(2) ? places.read(dy) : undefined];
      case 'mul':
        return product(dy, node, scene, places);
      case 'max':
      case 'min':
        return extremum(dy, node, scene, places);
      default:
        throw new UserError(
          `${describeNode(node)} has no derivative rule for reduction ${reduction}`,
          'export the model with reduction none, add, mul, max or min, or attack without gradients',
        );
    }
  };

function placesOf([write, readBack]: Pair, node: Node, { g }: Scene): Places {
  const indices = inputOf(node, 1);
  const attrs = write === 'ScatterElements' ? { axis: intOf(node, 'axis', 0) } : {};
  return {
    put: (onto, values, reduction) =>
      g.op(write, [onto, indices, values], reduction === undefined ? attrs : { ...attrs, reduction }),
    read: (value) => g.op(readBack, [value, indices], attrs),
  };
}

/** y = x times all u that meet it: dx = dy times those u, du = dy y / u at i (0 where u is 0). */
function product(dy: string, node: Node, scene: Scene, { put, read }: Places): (string | undefined)[] {
  const [x, u, y] = [inputOf(node, 0), inputOf(node, 2), node.outputs[0]!];
  const m = algebra(scene, x);
  const factors = () => put(scene.full(scene.shape(x), 1, scene.dtype(x)), u, 'mul');
  return [
    scene.active(0) ? m.mul(dy, factors()) : undefined,
    undefined,
    scene.active(2) ? m.over(read(m.mul(dy, y)), u) : undefined,
  ];
}

/** y = the largest (least) of x and all u that meet it: dy in equal parts to those that equal y, as in PyTorch. */
function extremum(dy: string, node: Node, scene: Scene, { put, read }: Places): (string | undefined)[] {
  const [x, u, y] = [inputOf(node, 0), inputOf(node, 2), node.outputs[0]!];
  const m = algebra(scene, x);
  const [chosenX, chosenU] = [m.mask(m.equal(x, y)), m.mask(m.equal(u, read(y)))];
  const share = m.div(dy, put(chosenX, chosenU, 'add'));
  return [m.mul(share, chosenX), undefined, scene.active(2) ? m.mul(read(share), chosenU) : undefined];
}
