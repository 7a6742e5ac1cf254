/** @file What one element of a value is, worked out in plain numbers through element-wise nodes: how a potential depends on the one before and on its spike. */
import type { Node } from '../onnx/graph.ts';
import type { Firing } from './candidates.ts';
import { clipBounds, type Scene, throughElements } from './scene.ts';

/** Numbers that stand for values; edges of the graph may be given numbers of their own. */
export interface Given {
  readonly values: ReadonlyMap<string, number>;
  /** Where a node reads something else than what the value of that name stands for. */
  readonly edge?: { readonly node: Node; readonly input: number; readonly value: number };
  /** What stands for every value that is neither given, nor constant, nor made element by element. */
  readonly otherwise: number;
}

/** A firing's spike as numbers: for its floats and its bools. */
export function spikeNumbers(f: Firing, spike: number): [string, number][] {
  return [
    ...[...f.floats, ...f.bools].map((name): [string, number] => [name, spike]),
    ...f.negated.map((name): [string, number] => [name, 1 - spike]),
  ];
}

/** One element of a value. */
export function elementOf(scene: Scene, name: string, given: Given): number {
  const known = new Map(given.values);
  const of = (value: string): number => {
    const number = known.get(value);
    if (number !== undefined) return number;
    const found = compute(value);
    known.set(value, found);
    return found;
  };
  const compute = (value: string): number => {
    const constant = scene.constant(value);
    if (constant !== undefined) return constant[0] ?? given.otherwise;
    const node = scene.producer(value);
    if (node === undefined) return given.otherwise;
    if (
      node.op === 'Not' ||
      (node.op === 'Where' && node.domain === '') ||
      node.op === 'Cast' ||
      throughElements(scene, node).length > 0
    )
      return apply(node);
    return given.otherwise;
  };
  const apply = (node: Node): number => {
    const read = (i: number): number =>
      given.edge?.node === node && given.edge.input === i ? given.edge.value : of(node.inputs[i]!);
    const all = (): number[] => node.inputs.map((_, i) => read(i));
    switch (node.op) {
      case 'Add':
        return read(0) + read(1);
      case 'Sub':
        return read(0) - read(1);
      case 'Mul':
        return read(0) * read(1);
      case 'Div':
        return read(0) / read(1);
      case 'Pow':
        return read(0) ** read(1);
      case 'Neg':
        return -read(0);
      case 'Not':
        return 1 - read(0);
      case 'Where':
        return read(0) === 0 ? read(2) : read(1);
      case 'Sum':
        return all().reduce((a, b) => a + b, 0);
      case 'Min':
        return Math.min(...all());
      case 'Max':
        return Math.max(...all());
      case 'Clip': {
        const bounds = clipBounds(scene, node);
        return bounds === undefined ? read(0) : Math.min(Math.max(read(0), bounds.low), bounds.high);
      }
      default:
        return (unary[node.op] ?? ((x: number) => x))(read(0));
    }
  };
  return of(name);
}

const unary: Readonly<Record<string, (x: number) => number>> = {
  Relu: (x) => Math.max(x, 0),
  Exp: Math.exp,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Softplus: (x) => Math.log1p(Math.exp(x)),
};

/** Whether a value is made, element by element, of one for which `test` holds; 'stop' ends a path. */
export function madeOf(
  scene: Scene,
  name: string,
  test: (value: string) => boolean | 'stop',
  seen: Set<string> = new Set(),
): boolean {
  const answer = test(name);
  if (answer !== false) return answer === true;
  if (seen.has(name)) return false;
  seen.add(name);
  const node = scene.producer(name);
  if (node === undefined) return false;
  const condition = node.op === 'Where' ? [node.inputs[0]!] : [];
  return [...condition, ...throughElements(scene, node)].some((input) => madeOf(scene, input, test, seen));
}
