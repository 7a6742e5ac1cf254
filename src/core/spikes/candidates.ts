/** @file Comparisons whose result becomes numbers 0 and 1: what a spike looks like in a file, and much else does too. Links in time decide (links.ts). */
import type { Node } from '../onnx/graph.ts';
import type { Scene } from './scene.ts';

/** Something that is 1 where `above` exceeds `below`; nodes that compute the same are one. */
export interface Firing {
  readonly above: string;
  readonly below: string;
  /** Whether equality stays silent. */
  readonly strict: boolean;
  /** The comparisons of the file. */
  readonly nodes: readonly Node[];
  /** Float values that are 1 where it fires and 0 elsewhere. */
  readonly floats: readonly string[];
  /** Bools that are true where it fires. */
  readonly bools: readonly string[];
  /** Bools that are false where it fires. */
  readonly negated: readonly string[];
  /** What is compared with the threshold, as values of the graph: the operand itself, and what the threshold was subtracted from. */
  readonly potentials: readonly string[];
  /** A number or one per channel; undefined where it is computed. */
  readonly threshold: readonly number[] | undefined;
  /** 1 where a high potential fires, -1 where a low one does. */
  readonly sign: 1 | -1;
}

/** One way in which a value says who fires, before equal ones are merged. */
interface Sighting {
  readonly above: string;
  readonly below: string;
  readonly strict: boolean;
  readonly node: Node;
  readonly floats: string[];
  readonly bools: string[];
  readonly negated: string[];
}

const comparisons = new Set(['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

/** Whether there is anything a spike could be made of: without, recognition has nothing to look at. */
export const mayFire = (nodes: readonly Node[]): boolean => nodes.some((n) => n.domain === '' && comparisons.has(n.op));

/**
 * Comparisons of floats that depend on what the graph is fed, cast to floats or choosing between 0 and 1; in the order of the graph. Masks of integers, of
 * positions and sizes, of constants are none of them, nor are comparisons with random numbers, and conditions that choose between computed values.
 */
export function findFirings(scene: Scene): Firing[] {
  const merged = new Map<string, Sighting[]>();
  const silent: Sighting[] = [];
  for (const s of scene.graph.nodes.flatMap((n) => compared(scene, n))) {
    if (s.floats.length > 0) merged.set(keyOf(scene, s), [...(merged.get(keyOf(scene, s)) ?? []), s]);
    else silent.push(s);
  }
  // one that only chooses, as a reset may, is the same neuron's where another one has the numbers
  for (const s of silent)
    (merged.get(keyOf(scene, s)) ?? merged.get(keyOf(scene, inverse(s))))?.push(merged.has(keyOf(scene, s)) ? s : inverse(s));
  return [...merged.values()]
    .map((same) => firingOf(scene, same))
    .filter((f) => f !== undefined)
    .sort((a, b) => scene.position.get(a.nodes[0]!)! - scene.position.get(b.nodes[0]!)!);
}

const keyOf = (scene: Scene, { above, below, strict }: Sighting): string =>
  `${scene.same(above)} ${strict ? '>' : '>='} ${scene.same(below)}`;

/** Not (a > b) is b >= a. */
const inverse = (s: Sighting): Sighting => ({
  ...s,
  above: s.below,
  below: s.above,
  strict: !s.strict,
  bools: s.negated,
  negated: s.bools,
});

function firingOf(scene: Scene, same: readonly Sighting[]): Firing | undefined {
  const sorted = [...same].sort((a, b) => scene.position.get(a.node)! - scene.position.get(b.node)!);
  const { above, below, strict } = sorted[0]!;
  const floats = sorted.flatMap((s) => s.floats);
  if (floats.length === 0 || scene.drawn(above) || scene.drawn(below)) return undefined;
  const [up, down] = [scene.constant(above), scene.constant(below)];
  if (up !== undefined && down !== undefined) return undefined;
  const sign = up === undefined ? 1 : -1;
  const potential = sign === 1 ? above : below;
  const level = sign === 1 ? down : up;
  const shifted = level === undefined ? undefined : subtracted(scene, potential, level);
  const threshold = shifted === undefined ? level : shifted.threshold;
  const inner = level === undefined ? undefined : shifted?.potential;
  return {
    above,
    below,
    strict,
    nodes: sorted.map((s) => s.node),
    floats: [...new Set(floats)],
    bools: [...new Set(sorted.flatMap((s) => s.bools))],
    negated: [...new Set(sorted.flatMap((s) => s.negated))],
    potentials: inner === undefined ? [potential] : [potential, inner],
    threshold: threshold === undefined ? undefined : plain(threshold),
    sign,
  };
}

/** One number where all are equal. */
const plain = (numbers: readonly number[]): readonly number[] =>
  numbers.every((n) => n === numbers[0]) ? numbers.slice(0, 1) : numbers;

/** The potential and the threshold subtracted from it, where the difference is compared with zero; a threshold that is computed has no number. */
function subtracted(
  scene: Scene,
  potential: string,
  level: readonly number[],
): { potential: string; threshold: readonly number[] | undefined } | undefined {
  const node = scene.producer(potential);
  if (node === undefined) return undefined;
  if (level.some((n) => n !== 0)) {
    // x + 1 >= 1, as floor(x + 1) leaves it, looks at x
    const at = node.op === 'Add' ? node.inputs.findIndex((i) => scene.fill(i) === level[0]) : -1;
    if (at < 0 || level.length > 1) return undefined;
    const inner = node.inputs[1 - at]!;
    return subtracted(scene, inner, [0]) ?? { potential: inner, threshold: [0] };
  }
  if (node.op === 'Sub') {
    const [a, b] = node.inputs as [string, string];
    return scene.live(a) ? { potential: a, threshold: scene.constant(b) } : undefined;
  }
  if (node.op === 'Add') {
    for (const [a, b] of [node.inputs, [...node.inputs].reverse()] as [string, string][]) {
      const by = scene.constant(b);
      if (by?.every((n) => n < 0)) return { potential: a, threshold: by.map((n) => -n) };
    }
  }
  return undefined;
}

function compared(scene: Scene, node: Node): Sighting[] {
  if (node.domain !== '' || !comparisons.has(node.op)) return [];
  const [left, right] = node.inputs as [string, string];
  if (![left, right].every((name) => isFloat(scene, name)) || !(scene.live(left) || scene.live(right))) return [];
  const read = readings(scene, node.outputs[0]!);
  const flipped = node.op.startsWith('Less');
  const [above, below] = flipped ? [right, left] : [left, right];
  const strict = node.op === 'Greater' || node.op === 'Less';
  const seen: Sighting = { above, below, strict, node, ...sides(read.one, read.other) };
  return [read.one.floats.length === 0 && read.other.floats.length > 0 ? { ...inverse(seen), floats: read.other.floats } : seen];
}

const sides = (one: Side, other: Side) => ({ floats: one.floats, bools: one.bools, negated: other.bools });

interface Side {
  readonly floats: string[];
  readonly bools: string[];
}

/** What is made of a bool: values that follow it (`one`), and values that follow its negation. */
function readings(scene: Scene, bool: string): { one: Side; other: Side } {
  const one: Side = { floats: [], bools: [bool] };
  const other: Side = { floats: [], bools: [] };
  for (const user of scene.consumers(bool)) {
    const out = user.outputs[0]!;
    if (user.op === 'Not' || (user.op === 'Cast' && scene.shape(out)?.dtype === 'bool') || user.op === 'Identity') {
      const inner = readings(scene, out);
      const [same, inverse] = user.op === 'Not' ? [other, one] : [one, other];
      same.floats.push(...inner.one.floats);
      same.bools.push(...inner.one.bools);
      inverse.floats.push(...inner.other.floats);
      inverse.bools.push(...inner.other.bools);
    } else if (user.op === 'Cast' && isFloat(scene, out)) one.floats.push(out);
    else if (user.op === 'Where' && user.inputs[0] === bool && sameShape(scene, bool, out)) {
      const [yes, no] = [scene.fill(user.inputs[1]!), scene.fill(user.inputs[2]!)];
      if (yes === 1 && no === 0) one.floats.push(out);
      if (yes === 0 && no === 1) other.floats.push(...(heaviside(scene, bool, out) ?? [out]));
    }
  }
  return { one, other };
}

/** The end of `heaviside` as exported: Where(x == 0, value, Where(x < 0, 0, 1)) with value 1 is x >= 0, which is what the inner Where is already. */
function heaviside(scene: Scene, bool: string, inner: string): string[] | undefined {
  const [x] = scene.producer(bool)?.inputs ?? [];
  const users = scene.consumers(inner);
  const outer = users.find((u) => u.op === 'Where' && u.inputs[2] === inner);
  const equal = outer === undefined ? undefined : scene.producer(outer.inputs[0]!);
  if (users.length !== 1 || outer === undefined || equal?.op !== 'Equal' || !equal.inputs.includes(x!)) return undefined;
  return scene.fill(outer.inputs[1]!) === 1 ? [outer.outputs[0]!, inner] : [];
}

const isFloat = (scene: Scene, name: string): boolean => /^(float|double)/.test(scene.shape(name)?.dtype ?? '');

const sameShape = (scene: Scene, a: string, b: string): boolean => scene.shape(a)?.dims.join() === scene.shape(b)?.dims.join();
