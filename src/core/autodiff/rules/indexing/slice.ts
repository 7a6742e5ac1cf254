import type { Node } from '../../../onnx/graph.ts';
import { numbersOf } from '../../../tensor/tensor.ts';
import type { Scene } from '../../rule.ts';
import { inputOf, positive, sizesOf, zerosLike } from '../sizes.ts';
import { type Spread, spread } from '../spread.ts';

/** What a Slice takes from one axis: `count` elements from `start`, `step` apart. */
interface Taken {
  readonly axis: number;
  readonly size: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** dx of y = x[start : end : step]: reversed where the step is negative, zeros between the elements, zeros around them. */
export function slice(scene: Scene, node: Node, dy: string): string {
  const { g } = scene;
  const x = inputOf(node, 0);
  const taken = takenBy(scene, node);
  if (taken === undefined) return atRunTime(scene, node, dy);
  if (taken.some((t) => t.count === 0)) return zerosLike(scene, x);
  const backwards = taken.filter((t) => t.step < 0).map((t) => t.axis);
  const list = (value: number): string => g.ints(backwards.map(() => value));
  const forwards = backwards.length === 0 ? dy : g.op('Slice', [dy, list(-1), list(-(2 ** 31)), g.ints(backwards), list(-1)]);
  const axes = taken.map(({ axis, size, start, step, count }): Spread => {
    const span = (count - 1) * step;
    const before = Math.min(start, start + span);
    return { axis, step: Math.abs(step), before, after: size - 1 - before - Math.abs(span) };
  });
  return spread(scene, forwards, sizesOf(scene, node.outputs[0]!), axes);
}

/** What is taken from each sliced axis, or undefined where that is not known before the run. */
function takenBy({ constant, dims }: Scene, node: Node): Taken[] | undefined {
  const x = dims(inputOf(node, 0));
  const list = (index: number, otherwise: (count: number) => number[], count = 0): number[] | undefined => {
    const name = node.inputs[index];
    if (name === undefined || name === '') return otherwise(count);
    const value = constant(name);
    return value === undefined ? undefined : numbersOf(value);
  };
  const starts = list(1, () => []);
  const ends = list(2, () => []);
  const axes = list(3, (n) => Array.from({ length: n }, (_, i) => i), starts?.length);
  const steps = list(4, (n) => new Array<number>(n).fill(1), starts?.length);
  if (starts === undefined || ends === undefined || axes === undefined || steps === undefined) return undefined;
  const taken: Taken[] = [];
  for (const [i, given] of axes.entries()) {
    const axis = positive(given, x.length);
    const [size, step] = [x[axis]!, steps[i]!];
    const [start, end] = [starts[i]!, ends[i]!];
    if (size === null) {
      if (start === 0 && step === 1 && end >= 2 ** 31 - 1) continue;
      return undefined;
    }
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const bounded = (at: number): number => Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const first = Math.max(bounded(start), 0);
    taken.push({ axis, size, start: first, step, count: Math.max(0, Math.ceil((bounded(end) - first) / step)) });
  }
  return taken;
}

/** Where bounds or sizes are known only at run time: the same slice of the elements' numbers says where dy belongs. */
function atRunTime(scene: Scene, node: Node, dy: string): string {
  const { g } = scene;
  const x = inputOf(node, 0);
  const flat = g.ints([-1]);
  const size = g.op('Size', [x]);
  const [zero, one] = [g.op('Squeeze', [g.ints([0])]), g.op('Squeeze', [g.ints([1])])];
  const numbered = g.op('Reshape', [g.op('Range', [zero, size, one]), scene.shape(x)]);
  const positions = g.op('Slice', [numbered, ...node.inputs.slice(1)]);
  const zeros = scene.full(g.op('Reshape', [size, flat]), 0, scene.dtype(x));
  const dx = g.op('ScatterElements', [zeros, g.op('Reshape', [positions, flat]), g.op('Reshape', [dy, flat])], { axis: 0 });
  return scene.reshapeLike(dx, x);
}
