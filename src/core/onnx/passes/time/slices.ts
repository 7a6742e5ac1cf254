/**
 * @file A graph that reads its input step by step, cut in time: a slice computes what depends on the steps so far and on no later one, from its own steps and
 * from what earlier slices hand on. Inputs that begin alike share their slices. Every node is written as it was, over fewer steps, so that the runtime
 * computes the same bits.
 */
import { type Graph, type Node, nodeName } from '../../graph.ts';
import { namesOf } from '../rewrite.ts';
import type { ShapeTable } from '../shapes.ts';
import { type Dependence, dependenceOn, type TimeInput } from './dependence.ts';
import type { Range } from './rule.ts';
import { type Carried, NotSliceable, sliceWriter, type Taken } from './slice-writer.ts';

export type { Carried } from './slice-writer.ts';

export interface TimeSlice {
  /** Inputs: `frames`, and what it takes; outputs: what it gives, of the last slice the value that was asked for. */
  readonly graph: Graph;
  /** Steps of the input, from the first to before the last. */
  readonly steps: Range;
  /** Name of the input that holds those steps. */
  readonly frames: string;
  readonly takes: readonly Carried[];
  readonly gives: readonly Carried[];
  /** Share of the whole graph's work, roughly. */
  readonly work: number;
}

export interface SliceRequest extends TimeInput {
  /** The value that is wanted; an output of the last slice, under its name. */
  readonly output: string;
  /** Steps at which slices begin, rising; the first is 0. */
  readonly starts: readonly number[];
  /** Share of the work that must come before the last slice for cutting to be worth anything. */
  readonly worthwhile?: number;
}

export const sliceDefaults = { worthwhile: 0.2 } as const;

export type Sliced = { readonly slices: readonly TimeSlice[] } | { readonly reason: string };

/**
 * Cuts a prepared graph whose only input has a time axis into slices, or says why that is impossible or of no use. Shapes are those of the graph, with the
 * batch open (inferShapes).
 */
export function sliceTime(graph: Graph, shapes: ShapeTable, request: SliceRequest): Sliced {
  const { worthwhile } = { ...sliceDefaults, ...request };
  const other = graph.inputs.find((v) => v.name !== request.name && !graph.initializers.has(v.name));
  if (other !== undefined) return { reason: `the model reads "${other.name}" too` };
  const dependence = dependenceOn(graph, shapes, request);
  if (dependence.steps < 2) return { reason: 'there is one time step' };
  try {
    const slices = writeSlices(dependence, shapes, request);
    if (slices.slice(0, -1).reduce((sum, s) => sum + s.work, 0) >= worthwhile) return { slices };
  } catch (error) {
    if (error instanceof NotSliceable) return { reason: error.message };
    throw error;
  }
  const [first] = dependence.joins;
  return { reason: first === undefined ? 'its time steps cannot be told apart' : `${describe(first)} joins all time steps` };
}

const describe = (node: Node): string => `${node.op} "${nodeName(node)}"`;

function writeSlices(scene: Dependence, shapes: ShapeTable, { name, timeAxis, output, starts }: SliceRequest): TimeSlice[] {
  const sliceOf = (step: number): number =>
    Math.max(
      0,
      starts.findLastIndex((start) => start <= step),
    );
  const final = sliceOf(scene.timed(output)?.last.at(-1) ?? 0);
  const asked = starts.map((): Map<string, Taken> => new Map());
  const made: TimeSlice[] = [];
  const taken = namesOf(scene.graph);
  // from the last to the first: by then all that is asked of a slice is known
  for (let s = final; s >= 0; s--) {
    const steps: Range = [starts[s]!, starts[s + 1] ?? scene.steps];
    const writer = sliceWriter(scene, shapes, { slice: s, steps, input: { name, timeAxis }, sliceOf, taken });
    for (const { value, carried } of asked[s]!.values()) writer.give(value, carried.name);
    if (s === final) writer.give(output, output);
    for (const take of writer.takes()) asked[take.carried.from]!.set(take.carried.name, take);
    made.unshift({
      graph: writer.build(),
      steps,
      frames: name,
      takes: writer.takes().map((t) => t.carried),
      gives: [...asked[s]!.values()].map((t) => t.carried),
      work: writer.work(),
    });
  }
  const total = made.reduce((sum, slice) => sum + slice.work, 0);
  return made.map((slice) => ({ ...slice, work: slice.work / total }));
}
