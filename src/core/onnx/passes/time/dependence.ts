/** @file For every value of a graph, the last time step of the input that each of its positions in time depends on. */
import { type Graph, type Node, readsOf } from '../../graph.ts';
import type { ShapeTable } from '../shapes.ts';
import { plainAxes } from './axes.ts';
import { ruleOf } from './rules.ts';
import type { Scene, Timed } from './timed.ts';

export interface TimeInput {
  readonly name: string;
  readonly timeAxis: number;
}

export interface Dependence extends Scene {
  readonly steps: number;
  /** Nodes that keep the positions of what they read apart: they are written by their rules. */
  readonly apart: ReadonlySet<Node>;
  /** Nodes that join positions in time, from input to output. */
  readonly joins: readonly Node[];
}

/** Follows the time steps of one input through a graph. A node without a rule joins all positions of what it reads. */
export function dependenceOn(graph: Graph, shapes: ShapeTable, { name, timeAxis }: TimeInput): Dependence {
  const steps = shapes.get(name)?.dims[timeAxis];
  if (steps === undefined || steps === null) throw new Error(`input "${name}" has no axis ${timeAxis} of known size`);
  const timed = new Map<string, Timed>();
  const apart = new Set<Node>();
  const joins: Node[] = [];
  const scene: Scene = {
    graph,
    timed: (value) => timed.get(value),
    dims: (value) => shapes.get(value)?.dims ?? graph.initializers.get(value)?.dims,
    axes: (value) => {
      const known = timed.get(value)?.axes;
      if (known !== undefined) return known;
      const entry = shapes.get(value);
      return entry === undefined ? undefined : plainAxes(entry);
    },
    whole: (value) => {
      const t = value === undefined ? undefined : graph.initializers.get(value);
      return t?.dtype === 'int64' || t?.dtype === 'int32' ? Array.from(t.data as ArrayLike<number | bigint>, Number) : undefined;
    },
  };
  const axes = scene.axes(name)?.map((axis, k) => (k === timeAxis ? (['time'] as const) : axis));
  timed.set(
    name,
    steps === 1 || axes === undefined ? { last: [steps - 1] } : { last: Array.from({ length: steps }, (_, t) => t), axes },
  );
  for (const node of graph.nodes) {
    const read = readsOf(node).flatMap((value) => timed.get(value) ?? []);
    // what is made of sizes alone is the same for all samples
    if (read.length === 0 || (node.op === 'Shape' && scene.axes(node.inputs[0]!) !== undefined)) continue;
    const isSpread = read.some((t) => t.axes !== undefined);
    const found = isSpread || node.op === 'Concat' ? ruleOf(node)?.outputs(node, scene) : undefined;
    if (found !== undefined) apart.add(node);
    else if (isSpread) joins.push(node);
    const joined: Timed = { last: [Math.max(...read.map((t) => t.last.at(-1)!))] };
    for (const [i, output] of node.outputs.entries()) {
      const { last, axes } = found?.[i] ?? joined;
      timed.set(output, last.length === 1 || axes === undefined ? { last } : { last, axes });
    }
  }
  return { ...scene, steps, apart, joins };
}
