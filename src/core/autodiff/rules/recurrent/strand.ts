/** @file One direction of a recurrent node, laid out in time: its weights, states and cotangents. T time, N batch, H hidden size, I inputs, G gates, D directions. */
import { describeNode, type Node, stringOf } from '../../../onnx/graph.ts';
import { i64, sizeOf } from '../../../tensor/tensor.ts';
import { type Algebra, algebra } from '../../algebra.ts';
import type { Scene } from '../../rule.ts';
import { derived, rearranged } from '../constants.ts';
import { inputOf, reshapeTo, type Size, sizeList } from '../sizes.ts';
import { type Padding, paddingOf } from './padding.ts';
import { type Recurred, type Recurrence, recur } from './recurrence.ts';

/** Positions of the inputs LSTM, GRU and RNN share. */
export const at = { x: 0, w: 1, r: 2, b: 3, lengths: 4, h: 5, c: 6, p: 7 } as const;

type Optional = string | undefined;

/** One direction of a node. */
export interface Strand {
  readonly scene: Scene;
  readonly m: Algebra;
  readonly node: Node;
  readonly index: number;
  readonly hidden: number;
  /** States before every moment, [T, N, H]. */
  readonly before: string;
  /** Cotangents of every state [T, N, H] and of the last ones [1, N, H]; where rows differ in length, those of last states are put where each row ends. */
  readonly dh: { readonly each: Optional; readonly last: Optional };
  readonly dc: { readonly each: Optional; readonly last: Optional };
  /** Rows [from, to) of this direction's part of an input, in units of H; all of it by default. */
  part(input: number, from?: number, to?: number): string;
  /** This direction's part of an initial state, [1, N, H]; zero where the node has none. */
  initial(input: number): string;
  /** x W^T + bias of all gates, [T N, G H]. */
  fromInput(bias: Optional): string;
  /** value R^T + addend for the gates [from, to), [T N, .], where value is [T, N, H]. */
  fromState(value: string, from: number, to: number, addend: Optional): string;
  /** Rows [T N, width] as [T, N, width]. */
  moments(rows: string, width: number): string;
  /** A value as [T N, width]. */
  rows(moments: string, width: number): string;
  /** The inputs of this direction as [T N, I]. */
  inputRows(): string;
  /** The sum of both biases, [G H]; undefined where the node has none. */
  bias(): Optional;
  /** [1, N, H] of zeros. */
  zeros(): string;
  /** A [T, N, .] value with zeros in the padding of short rows. */
  unpadded(value: string): string;
  /** Repeats a step along this direction, or against it. */
  recur(way: 'along' | 'against', r: Pick<Recurrence, 'carried' | 'sequences' | 'step'>): Recurred;
  /** A [T, N, .] value of this direction in the order of the node's own input. */
  inOrder(value: string): string;
}

export const has = (node: Node, input: number): boolean => (node.inputs[input] ?? '') !== '';

/** The directions of a node with `gates` gates, in the order of its weights. */
export function strandsOf(node: Node, scene: Scene, gates: number, dys: readonly Optional[]): Strand[] {
  const x = inputOf(node, at.x);
  const time: Size = scene.dims(x)[0] ?? { of: x, axis: 0 };
  const padding = has(node, at.lengths) ? paddingOf(inputOf(node, at.lengths), time, scene) : undefined;
  const count = scene.dims(inputOf(node, at.r))[0]!;
  return Array.from({ length: count }, (_, index) => strand(node, scene, { gates, dys, index, count, padding }));
}

/** W_b + R_b as one vector, which is a constant where they are. */
function bothBiases({ g }: Scene, part: Strand['part'], gates: number): string {
  const [ofX, ofState] = [part(at.b, 0, gates), part(at.b, gates, 2 * gates)];
  return g.op('Add', [ofX, ofState]);
}

interface Place {
  readonly gates: number;
  readonly dys: readonly Optional[];
  readonly index: number;
  readonly count: number;
  readonly padding: Padding | undefined;
}

function strand(node: Node, scene: Scene, { gates, dys, index, count, padding }: Place): Strand {
  const { g } = scene;
  const x = inputOf(node, at.x);
  const m = algebra(scene, x);
  const hidden = scene.dims(inputOf(node, at.r))[2]!;
  const reverse = index === 1 || stringOf(node, 'direction', 'forward') === 'reverse';
  // rows of different lengths are turned one by one; both directions look alike after that
  const inOrder = (value: string): string => (reverse && padding !== undefined ? padding.turn(value) : value);
  const backwards = reverse && padding === undefined;
  const [time, batch] = [0, 1].map((axis): Size => scene.dims(x)[axis] ?? { of: x, axis }) as [Size, Size];

  const zeros = (): string => scene.full(sizeList(scene, [1, batch, hidden]), 0, m.dtype);
  const slice = (value: string, from: number, to: number, axis: number): string =>
    g.op('Slice', [value, g.ints([from]), g.ints([to]), g.ints([axis])]);
  const mine = (value: string): string => (count === 1 ? value : slice(value, index, index + 1, 0));
  const initial = (input: number): string => (has(node, input) ? mine(inputOf(node, input)) : zeros());
  const rows = (value: string, width: number): string => g.op('Reshape', [value, g.ints([-1, width])]);
  const inputRows = (): string => rows(inOrder(x), scene.dims(x)[2]!);
  /** Of a [T, D, N, H] value. */
  const ofStates = (value: string): string =>
    inOrder(
      count === 1 ? g.op('Squeeze', [value, g.ints([1])]) : g.op('Gather', [value, g.constant(i64([index], []))], { axis: 1 }),
    );

  const part = (input: number, from = 0, to = scene.dims(inputOf(node, input))[1]! / hidden): string => {
    const name = inputOf(node, input);
    const [, all, ...rest] = scene.dims(name) as number[];
    const [first, height] = [from * hidden, (to - from) * hidden];
    return derived(
      scene,
      name,
      `part ${index} ${from} ${to}`,
      (value) => rearranged(value, [height, ...rest], (i) => (index * all! + first) * sizeOf(rest) + i),
      () => {
        const whole = g.op('Squeeze', [mine(name), g.ints([0])]);
        return height === all ? whole : slice(whole, first, first + height, 0);
      },
    );
  };

  const [y = ''] = node.outputs;
  if (y === '') throw new Error(`${describeNode(node)} does not name its states: prepare the graph first`);
  const states = ofStates(y);
  const before = g.op(
    'Concat',
    backwards ? [slice(states, 1, Number.MAX_SAFE_INTEGER, 0), initial(at.h)] : [initial(at.h), slice(states, 0, -1, 0)],
    { axis: 0 },
  );

  const cotangents = (each: Optional, last: Optional) => {
    if (padding === undefined) return { each, last: last === undefined ? undefined : mine(last) };
    const spread = [
      each === undefined ? undefined : m.where(padding.inside, each, 0),
      last === undefined ? undefined : m.where(padding.last, mine(last), 0),
    ].filter((v) => v !== undefined);
    return { each: spread.length === 2 ? m.add(spread[0]!, spread[1]!) : spread[0], last: undefined };
  };
  return {
    scene,
    m,
    node,
    index,
    hidden,
    before,
    dh: cotangents(dys[0] === undefined ? undefined : ofStates(dys[0]), dys[1]),
    dc: cotangents(undefined, dys[2]),
    part,
    initial,
    rows,
    inputRows,
    inOrder,
    moments: (value, width) => reshapeTo(scene, value, [time, batch, width]),
    fromInput: (bias) => g.op('Gemm', [inputRows(), part(at.w), ...(bias === undefined ? [] : [bias])], { transB: 1 }),
    fromState: (value, from, to, addend) =>
      g.op('Gemm', [rows(value, hidden), part(at.r, from, to), ...(addend === undefined ? [] : [addend])], { transB: 1 }),
    bias: () => (has(node, at.b) ? bothBiases(scene, part, gates) : undefined),
    zeros,
    unpadded: (value) => (padding === undefined ? value : m.where(padding.inside, value, 0)),
    recur: (way, r) =>
      recur(scene, { ...r, like: x, time: scene.dims(x)[0]!, zeros, backwards: (way === 'against') !== backwards }),
  };
}
