/** @file Where an exporter may have written the batch size as a number, and the ways each such place can be made to follow the input. */
import { i64, numbersOf, sizeOf, type Tensor } from '../../../tensor/tensor.ts';
import type { GraphBuilder } from '../../builder.ts';
import { type Graph, intOf, type Node } from '../../graph.ts';
import { splitRows } from './rows.ts';

/** What is known when a place is looked at: sizes at the batch of the file and at another one. */
export interface Measured {
  readonly graph: Graph;
  /** Batch size in the file. */
  readonly batch: number;
  /** Sizes of a value at that batch. */
  atHome(name: string): readonly number[];
  /** Sizes at the other batch, for computed inputs of the node in question. */
  abroad(name: string): readonly number[];
}

/** Writes the node, or what replaces it; `batch` makes (once) the int64 list [N] read from the input. */
export type Rewrite = (g: GraphBuilder, node: Node, batch: () => string) => void;

const asIs: Rewrite = (g, node) => g.add(node);

const elementwise = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum', 'Mean', 'Where', 'PRelu', 'Equal', 'Greater', 'Less'],
  ...['GreaterOrEqual', 'LessOrEqual', 'And', 'Or', 'Xor', 'Mod', 'MatMul', 'Gemm'],
]);
const recurrent = new Set(['LSTM', 'GRU', 'RNN']);

/** Whether the batch may be written in the constants (or, for a batch of 1, in the axes) of this node; `rankOf` tells how many axes a value has. */
export function isSite(graph: Graph, node: Node, batch: number, rankOf: (name: string) => number): boolean {
  if (node.domain !== '') return false;
  const fixed = (i: number): boolean => graph.initializers.has(node.inputs[i] ?? '');
  if (node.op === 'Reshape' || node.op === 'Expand' || node.op === 'Unsqueeze') return fixed(1);
  if (node.op === 'Flatten') return true;
  if (node.op === 'Squeeze') return batch === 1;
  if (node.op === 'Gather') return batch === 1 && fixed(1);
  if (node.op === 'Slice') return fixed(1) && fixed(2);
  if (node.op === 'Resize') return fixed(3);
  if (recurrent.has(node.op)) return fixed(4) || fixed(5) || fixed(6);
  if (node.op === 'Concat') return node.inputs.some((_, i) => fixed(i));
  if (!elementwise.has(node.op)) return false;
  const rank = rankOf(node.outputs[0]!);
  return node.inputs.some((name) => {
    const dims = graph.initializers.get(name)?.dims;
    if (dims === undefined) return false;
    // whole blocks (the heads of an attention) may be repeated per sample along the first axis
    return (batch > 1 && dims.includes(batch)) || (dims.length === rank && dims[0]! > 1 && node.op !== 'Gemm');
  });
}

/** Ways to write the node so that it may follow the batch, the likeliest first; none where that is impossible. */
export function waysOf(node: Node, m: Measured): readonly Rewrite[] {
  const axes = scaledAxes(node.inputs[0]!, m);
  if (recurrent.has(node.op)) return [recurrentStates(m)];
  if (node.op === 'Concat') return concat(node, m);
  if (elementwise.has(node.op)) return sharedRow(node, m);
  if (node.op === 'Expand') return expand(node, m, axes);
  const axis = axes[0];
  if (axis === undefined || axes.length > 1) return [asIs];
  switch (node.op) {
    case 'Reshape':
      return reshapes(node, m, axis);
    case 'Flatten':
    case 'Unsqueeze':
      return [asIs, ...reshapes(node, m, axis)];
    case 'Squeeze':
    case 'Gather':
      return removesBatch(node, m, axis) ? reshapes(node, m, axis) : [asIs];
    case 'Slice':
      return slice(node, m, axis);
    case 'Resize':
      return [resize(m, axis)];
    default:
      return [asIs];
  }
}

/** Axes of a value that are larger at the other batch. */
function scaledAxes(name: string, m: Measured): number[] {
  if (m.graph.initializers.has(name)) return [];
  const there = m.abroad(name);
  return m.atHome(name).flatMap((d, axis) => (d === there[axis] ? [] : [axis]));
}

/**
 * Reshapes of the same sizes with one axis left open. Row-major order is kept, so an axis can hold the batch only where the elements before it and
 * through it leave room for it at the place it has in the input; an axis of exactly the batch size comes first,
 * then one that stays as it is, then one with the same sizes after it, or before it.
 */
function reshapes(node: Node, m: Measured, axis: number): Rewrite[] {
  const [from, to] = [m.atHome(node.inputs[0]!), m.atHome(node.outputs[0]!)];
  const [before, through] = [sizeOf(from.slice(0, axis)), sizeOf(from.slice(0, axis + 1))];
  const [start, end] = [(j: number) => sizeOf(to.slice(0, j)), (j: number) => sizeOf(to.slice(0, j + 1))];
  const holds = (j: number): boolean =>
    to[j]! % m.batch === 0 && Math.max(start(j), before) * m.batch <= Math.min(end(j), through);
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  const mismatch = (j: number): number => {
    if (same(to.slice(j + 1), from.slice(axis + 1))) return 0;
    if (same(to.slice(0, j), from.slice(0, axis))) return 2;
    return end(j) === through ? 6 : start(j) === before ? 7 : 9;
  };
  const kept = (j: number): boolean => to[j] === from[axis] && start(j) === before;
  // features that grow with the batch are the least likely of all
  const unlikely = (j: number): number => (kept(j) ? 3 : j === to.length - 1 ? 30 : 15);
  const cost = (j: number): number => (to[j] === m.batch ? (kept(j) ? -3 : 0) : unlikely(j)) + mismatch(j);
  const open = to.map((_, j) => j).filter(holds);
  return open
    .sort((a, b) => cost(a) - cost(b) || Math.abs(a - axis) - Math.abs(b - axis))
    .map((j) => (g, n) => {
      g.ops('Reshape', [n.inputs[0]!, g.ints(to.map((d, k) => (k === j ? -1 : d)))], [n.outputs[0]!]);
    });
}

/** Whether a Squeeze, or a Gather of element 0, takes away an axis of batch 1. */
function removesBatch(node: Node, m: Measured, axis: number): boolean {
  const rank = m.atHome(node.inputs[0]!).length;
  const listed = numbersOf(m.graph.initializers.get(node.inputs[1] ?? '') ?? i64([]));
  if (node.op === 'Squeeze') return listed.length === 0 || listed.some((a) => (a + rank) % rank === axis);
  return (
    (intOf(node, 'axis', 0) + rank) % rank === axis &&
    m.atHome(node.inputs[0]!)[axis] === 1 &&
    listed.every((i) => i === 0 || i === -1)
  );
}

/** Slices that end at the batch size along the batch axis end at its end; of an axis that holds the batch among others, they take multiples of it. */
function slice(node: Node, m: Measured, axis: number): Rewrite[] {
  const dims = m.atHome(node.inputs[0]!);
  const constant = (i: number): number[] | undefined => {
    const value = m.graph.initializers.get(node.inputs[i] ?? '');
    return value === undefined ? undefined : numbersOf(value);
  };
  const [starts, ends] = [constant(1)!, constant(2)!];
  const axes = (constant(3) ?? starts.map((_, i) => i)).map((a) => (a + dims.length) % dims.length);
  const at = axes.indexOf(axis);
  if (at < 0) return [asIs];
  if (starts[at] !== 0 || ends[at] !== dims[axis]) {
    const follows = [starts, ends].every((list) => toTheEnd(list[at]!) || list[at]! % m.batch === 0);
    return follows && dims[axis]! > m.batch ? [multiples(starts, ends, at, m), asIs] : [asIs];
  }
  const open: Rewrite = (g, n) => {
    const inputs = [...n.inputs];
    inputs[2] = g.ints(ends.map((e, i) => (i === at ? 2 ** 63 : e)));
    g.add({ ...n, inputs });
  };
  return m.batch === 1 ? [open, asIs] : [open];
}

/** How exporters write "to the end" (or, negative, "from the beginning, backwards"). */
const toTheEnd = (position: number): boolean => Math.abs(position) >= 2 ** 31 - 1;

/** A slice from and to multiples of the batch. */
function multiples(starts: readonly number[], ends: readonly number[], at: number, m: Measured): Rewrite {
  return (g, n, batch) => {
    const scaled = (list: readonly number[]): string =>
      toTheEnd(list[at]!) || list[at] === 0 ? g.ints(list) : following(g, list, at, m.batch, batch);
    g.add({ ...n, inputs: [n.inputs[0]!, scaled(starts), scaled(ends), ...n.inputs.slice(3)] });
  };
}

/** `dims` as an int64 list whose entry `axis` follows the batch. */
function following(g: GraphBuilder, dims: readonly number[], axis: number, batch: number, read: () => string): string {
  const factor = dims[axis]! / batch;
  const size = factor === 1 ? read() : g.op('Mul', [read(), g.ints([factor])]);
  const parts = [dims.slice(0, axis), undefined, dims.slice(axis + 1)].filter((p) => p === undefined || p.length > 0);
  return parts.length === 1
    ? size
    : g.op(
        'Concat',
        parts.map((p) => (p === undefined ? size : g.ints(p))),
        { axis: 0 },
      );
}

function resize(m: Measured, axis: number): Rewrite {
  return (g, node, batch) => {
    const sizes = numbersOf(m.graph.initializers.get(node.inputs[3]!)!);
    if (sizes.length !== m.atHome(node.inputs[0]!).length) return g.add(node);
    g.add({ ...node, inputs: [...node.inputs.slice(0, 3), following(g, sizes, axis, m.batch, batch)] });
  };
}

function expand(node: Node, m: Measured, axes: readonly number[]): Rewrite[] {
  const target = numbersOf(m.graph.initializers.get(node.inputs[1]!)!);
  const lead = target.length - m.atHome(node.inputs[0]!).length;
  const withShape = (shape: (g: GraphBuilder, batch: () => string) => string): Rewrite => {
    return (g, n, batch) => g.add({ ...n, inputs: [n.inputs[0]!, shape(g, batch)] });
  };
  const free = new Set(axes.map((a) => a + lead));
  if (free.size > 0) return [withShape((g) => g.ints(target.map((d, i) => (free.has(i) ? 1 : d))))];
  const rows = target.map((_, j) => j).filter((j) => target[j] === m.batch);
  const open = rows.map((j) => withShape((g, batch) => following(g, target, j, m.batch, batch)));
  return m.batch === 1 ? [asIs, ...open] : [...open, asIs];
}

/** A constant all of whose `batch` rows along `axis` are equal, as one row; undefined otherwise. */
function oneRow(value: Tensor, axis: number, batch: number): Tensor | undefined {
  if (value.dims[axis] === undefined || value.dims[axis] % batch !== 0) return undefined;
  const rows = splitRows(value, axis, batch);
  const [first, ...others] = rows;
  const same = (row: Tensor): boolean => row.data.every((v, i) => Object.is(v, first!.data[i]));
  return others.every(same) ? first : undefined;
}

/** A constant repeated along the batch axis, as often as the input has rows: every element of the axis, or where those differ, all that a sample has. */
function repeated(g: GraphBuilder, value: Tensor, axis: number, m: Measured, batch: () => string): string | undefined {
  const row = oneRow(value, axis, m.batch);
  if (row === undefined) return undefined;
  const element = oneRow(row, axis, row.dims[axis]!);
  if (element !== undefined) return g.op('Expand', [g.constant(element), following(g, value.dims, axis, m.batch, batch)]);
  const times = value.dims.map((_, i) => (i === axis ? m.batch : 1));
  return g.op('Tile', [g.constant(row), following(g, times, axis, m.batch, batch)]);
}

/** Initial states [directions, batch, hidden] and sequence lengths [batch]. */
function recurrentStates(m: Measured): Rewrite {
  return (g, node, batch) => {
    const inputs = node.inputs.map((name, i) => {
      const value = m.graph.initializers.get(name);
      return value === undefined || i < 4 || i > 6 ? name : (repeated(g, value, i === 4 ? 0 : 1, m, batch) ?? name);
    });
    g.add({ ...node, inputs });
  };
}

/** Constants joined to values that follow the batch are repeated along it. */
function concat(node: Node, m: Measured): Rewrite[] {
  const rank = m.atHome(node.inputs[0]!).length;
  const along = (intOf(node, 'axis', 0) + rank) % rank;
  const axis = node.inputs.flatMap((name) => scaledAxes(name, m))[0];
  if (axis === undefined || axis === along) return [asIs];
  const rows = node.inputs.map((name) => m.graph.initializers.get(name));
  if (rows.some((v) => v !== undefined && oneRow(v, axis, m.batch) === undefined)) return [];
  return [
    (g, n, batch) =>
      g.add({ ...n, inputs: n.inputs.map((name, i) => (rows[i] === undefined ? name : repeated(g, rows[i], axis, m, batch)!)) }),
  ];
}

/** Constants with a row per sample, all equal, are broadcast from one; those with several (one per head and sample) are repeated as often as there are samples. */
function sharedRow(node: Node, m: Measured): Rewrite[] {
  const rank = Math.max(...node.inputs.map((name) => m.atHome(name).length));
  const [scaled] = node.inputs.flatMap((name) => scaledAxes(name, m).map((axis) => ({ name, axis })));
  if (scaled === undefined) return [asIs];
  const home = m.atHome(scaled.name);
  const fromEnd = home.length - scaled.axis;
  if (node.op === 'MatMul' && fromEnd <= 2 && rank > 2) return [asIs];
  const replaced = new Map<string, (g: GraphBuilder, batch: () => string) => string>();
  for (const name of node.inputs) {
    const value = m.graph.initializers.get(name);
    const axis = (value?.dims.length ?? 0) - fromEnd;
    if (value === undefined || axis < 0 || value.dims[axis] === 1 || value.dims[axis] !== home[scaled.axis]) continue;
    if ((node.op === 'MatMul' || node.op === 'Gemm') && name !== node.inputs[2] && value.dims.length <= 2) continue;
    const row = oneRow(value, axis, m.batch);
    if (row === undefined) return [];
    const once = value.dims.map((_, i) => (i === axis ? m.batch : 1));
    replaced.set(name, (g, batch) =>
      row.dims[axis] === 1 ? g.constant(row) : g.op('Tile', [g.constant(row), following(g, once, axis, m.batch, batch)]),
    );
  }
  if (replaced.size === 0) return [asIs];
  return [(g, n, batch) => g.add({ ...n, inputs: n.inputs.map((name) => replaced.get(name)?.(g, batch) ?? name) })];
}
