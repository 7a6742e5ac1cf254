/** @file Shapes and element types of every value, by asking the runtime: run at two batch sizes, and what changes depends on the batch. */
import { UserError } from '../../errors.ts';
import { type DType, type NumericDType, numbersOf, sizeOf, type Tensor, zeros } from '../../tensor/tensor.ts';
import { graphBuilder } from '../builder.ts';
import { feedsOf, type Graph, type Value } from '../graph.ts';

/** Runs a graph once; the passes that must ask the runtime get it as an argument, so core/onnx itself needs none. */
export type Execute = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** A known size, or null for one that depends on the batch (found by running at two batch sizes). */
export type KnownDim = number | null;

export interface ShapeEntry {
  readonly dtype: DType;
  readonly dims: readonly KnownDim[];
  /** Axes whose size is the batch itself (not a multiple of it); empty or absent where none is. */
  readonly batchAxes?: readonly number[];
}

/** Every value of a graph (inputs, initializers, intermediates, outputs) by name. */
export type ShapeTable = ReadonlyMap<string, ShapeEntry>;

/** Two batch sizes that no fixed size is likely to be mistaken for: neither is 1, which broadcasts. */
const sizes = [2, 3] as const;

/**
 * Shapes and dtypes of all values. Symbolic and unknown sizes of the graph's inputs are taken to be the batch: bind any others first (bind-dims.ts).
 * A graph without symbolic sizes is run once, at its own sizes.
 */
export async function inferShapes(graph: Graph, execute: Execute): Promise<ShapeTable> {
  const names = [...feedsOf(graph).map((v) => v.name), ...graph.nodes.flatMap((n) => n.outputs.filter((o) => o !== ''))];
  const symbolic = feedsOf(graph).some((v) => v.dims?.some((d) => typeof d !== 'number'));
  const probed = probe(graph, names);
  const runs = [];
  for (const batch of symbolic ? sizes : [1]) runs.push(await execute(probed, probeFeeds(graph, batch)));
  const table = new Map<string, ShapeEntry>();
  for (const [name, value] of graph.initializers) table.set(name, { dtype: value.dtype, dims: value.dims });
  for (const [i, name] of names.entries()) {
    const shapes = runs.map((run) => numbersOf(run[`shape_${i}`]!));
    const dims = shapes[0]!.map((d, axis) => (shapes.every((s) => s[axis] === d) ? d : null));
    const batchAxes = dims.flatMap((d, axis) => (d === null && shapes.every((s, run) => s[axis] === sizes[run]) ? [axis] : []));
    table.set(name, { dtype: runs[0]![`empty_${i}`]!.dtype, dims, ...(batchAxes.length === 0 ? {} : { batchAxes }) });
  }
  return table;
}

/** For every value its shape, and an empty slice that carries its dtype: nothing big leaves the runtime. */
function probe(graph: Graph, names: readonly string[]): Graph {
  const g = graphBuilder({ from: { ...graph, outputs: [] } });
  const [flat, zero] = [g.ints([-1]), g.ints([0])];
  for (const [i, name] of names.entries()) {
    g.output(g.op('Shape', [name], {}, `shape_${i}`), [null], 'int64');
    g.op('Slice', [g.op('Reshape', [name, flat]), zero, zero, zero], {}, `empty_${i}`);
    g.untypedOutput(`empty_${i}`);
  }
  return g.build();
}

/** Zeros for every input, with `batch` for each size that is not fixed. */
export function probeFeeds(graph: Graph, batch: number): Record<string, Tensor> {
  return Object.fromEntries(feedsOf(graph).map((v) => [v.name, zeroFeed(v, batch)]));
}

function zeroFeed({ name, dtype, dims }: Value, batch: number): Tensor {
  if (dtype === undefined || dims === undefined) {
    throw new UserError(`input "${name}" has no tensor type or rank in the file`, 'export the model with typed inputs');
  }
  const known = dims.map((d) => (typeof d === 'number' ? d : batch));
  return dtype === 'string'
    ? { dtype, dims: known, data: new Array<string>(sizeOf(known)).fill('') }
    : zeros(dtype as NumericDType, known);
}
