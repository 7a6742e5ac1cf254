import { UserError } from '../../../errors.ts';
import { describeNode, type Node, stringOf } from '../../../onnx/graph.ts';
import { numbersOf } from '../../../tensor/tensor.ts';
import type { Scene } from '../../rule.ts';
import { inputOf, positive } from '../sizes.ts';
import { pad } from '../spread.ts';

interface Padding {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/** Cotangents of (data, pads, value): the padding cut off and, for modes that repeat elements, added to the elements it repeats. */
export function padGradient(scene: Scene, node: Node, dy: string): readonly (string | undefined)[] {
  const { g, active } = scene;
  const mode = stringOf(node, 'mode', 'constant');
  if (mode === 'constant') {
    const dx = g.op('Pad', [dy, g.op('Neg', [inputOf(node, 1)]), '', ...node.inputs.slice(3)]);
    // what is left of dy outside x belongs to the value that filled it
    const rest = (): string => g.op('Sub', [g.op('ReduceSum', [dy], { keepdims: 0 }), g.op('ReduceSum', [dx], { keepdims: 0 })]);
    return [active(0) ? dx : undefined, undefined, active(2) ? scene.reshapeLike(rest(), inputOf(node, 2)) : undefined];
  }
  return [paddings(scene, node).reduce((value, padding) => folded(scene, node, value, padding, mode), dy)];
}

function paddings({ constant, dims }: Scene, node: Node): Padding[] {
  const pads = constant(inputOf(node, 1));
  if (pads === undefined) throw refused(node, 'pads that are computed at run time');
  const values = numbersOf(pads);
  const rank = dims(inputOf(node, 0)).length;
  const given = node.inputs[3];
  const axes = given === undefined || given === '' ? undefined : constant(given);
  const list = axes === undefined ? Array.from({ length: rank }, (_, i) => i) : numbersOf(axes).map((a) => positive(a, rank));
  return list
    .map((axis, i) => ({ axis, before: values[i]!, after: values[i + list.length]! }))
    .filter(({ before, after }) => before !== 0 || after !== 0);
}

/** One axis folded back: the padding is cut off, and each of its elements added to the one it repeats. */
function folded(scene: Scene, node: Node, value: string, { axis, before, after }: Padding, mode: string): string {
  const { g, dims } = scene;
  const size = dims(inputOf(node, 0))[axis]!;
  if (size === null) throw refused(node, `mode ${mode} along axis ${axis}, whose size is not fixed`);
  const cut = pad(scene, value, dims(inputOf(node, 0)).length, [{ axis, before: -before, after: -after }]);
  const source = sources(node, mode);
  const outside = Array.from({ length: before + size + after }, (_, i) => i - before).filter((at) => at < 0 || at >= size);
  if (outside.length === 0) return cut;
  const border = g.op('Gather', [value, g.ints(outside.map((at) => at + before))], { axis });
  const targets = outside.map((at) => source(at, before, after, size));
  const column = g.op('Reshape', [g.ints(targets), g.ints(dims(inputOf(node, 0)).map((_, i) => (i === axis ? -1 : 1)))]);
  const indices = g.op('Expand', [column, g.op('Shape', [border])]);
  return g.op('ScatterElements', [cut, indices, border], { axis, reduction: 'add' });
}

/** Which element of x the padding at position `at` (counted from the first of x) repeats. Negative pads crop first. */
function sources(node: Node, mode: string): (at: number, before: number, after: number, size: number) => number {
  const within = (f: (at: number, size: number) => number) => (at: number, before: number, after: number, size: number) => {
    const start = Math.max(0, -before);
    return start + f(at - start, size - start - Math.max(0, -after));
  };
  const modulo = (a: number, n: number): number => ((a % n) + n) % n;
  switch (mode) {
    case 'edge':
      return within((at, size) => Math.min(Math.max(at, 0), size - 1));
    case 'wrap':
      return within(modulo);
    case 'reflect':
      return within((at, size) => {
        if (size === 1) return 0;
        const period = 2 * (size - 1);
        const folded = modulo(at, period);
        return folded < size ? folded : period - folded;
      });
    default:
      throw refused(node, `mode ${mode}`);
  }
}

const refused = (node: Node, what: string): UserError =>
  new UserError(`${describeNode(node)} has no derivative rule for ${what}`, 'export the model with fixed sizes and pads');
