/** @file Transpositions that an exporter wrote as Reshape, which for a batch of 1 is the same: the batch is taken out, and put where there was a 1. */
import { sizeOf } from '../../../tensor/tensor.ts';
import type { GraphBuilder } from '../../builder.ts';
import type { Node } from '../../graph.ts';
import type { Before } from './labels.ts';
import type { Measured, Rewrite } from './sites.ts';

const reshaping = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Gather']);

/**
 * Ways to write a node that only changes the sizes of a batch of 1: one for every place of size 1 the batch can have behind it, and one with an axis more.
 */
export function movedReshapes(node: Node, m: Measured, before: ReadonlyMap<string, Before>): Rewrite[] {
  const x = node.inputs[0]!;
  const [from, to] = [m.atHome(x), m.atHome(node.outputs[0]!)];
  const ahead = before.get(x);
  if (m.batch !== 1 || !reshaping.has(node.op) || ahead === undefined || sizeOf(from) !== sizeOf(to)) return [];
  const places = to.flatMap((d, axis) => (d === 1 ? [move(ahead, sizeOf(from), to, axis)] : []));
  const inFront: Rewrite = (g, n) => {
    g.ops('Reshape', [x, g.ints([-1, ...to])], [n.outputs[0]!]);
  };
  return ahead === 1 ? [...places, inFront] : places;
}

/** Ways to feed the node where a batch of 1 could stand at several axes of one input: the same numbers with the batch at another. */
export function otherAxes(node: Node, m: Measured, before: ReadonlyMap<string, Before>): Rewrite[] {
  if (m.batch !== 1) return [];
  return [...new Set(node.inputs)].flatMap((name) => {
    const [home, ahead] = [m.atHome(name), before.get(name)];
    const now = m.abroad(name);
    if (ahead === undefined || name === '') return [];
    const fits = (axis: number): boolean =>
      home[axis] === 1 && (now.length !== home.length || now[axis] === 1) && sizeOf(home.slice(0, axis)) === ahead;
    return home.flatMap((_, axis) => (fits(axis) ? [withBatchAt(name, home, axis)] : []));
  });
}

const withBatchAt =
  (name: string, home: readonly number[], axis: number): Rewrite =>
  (g, node) => {
    const placed = g.op('Reshape', [name, g.ints(home.map((d, i) => (i === axis ? -1 : d)))]);
    g.add({ ...node, inputs: node.inputs.map((input) => (input === name ? placed : input)) });
  };

/** [ahead, N, rest] as `to` with N at `axis`. */
function move(ahead: number, elements: number, to: readonly number[], axis: number): Rewrite {
  return (g, node) => {
    const [start, end] = [sizeOf(to.slice(0, axis)), sizeOf(to.slice(axis + 1))];
    const outside = (v: string, first: number): string =>
      g.op('Transpose', [g.op('Reshape', [v, g.ints([first, -1, elements / first])])], { perm: [1, 0, 2] });
    const rows = ahead === 1 ? node.inputs[0]! : outside(node.inputs[0]!, ahead);
    const placed = start === 1 ? rows : inside(g, rows, start, end);
    g.ops('Reshape', [placed, g.ints(to.map((d, i) => (i === axis ? -1 : d)))], [node.outputs[0]!]);
  };
}

const inside = (g: GraphBuilder, rows: string, start: number, end: number): string =>
  g.op('Transpose', [g.op('Reshape', [rows, g.ints([-1, start, end])])], { perm: [1, 0, 2] });
