/** @file Shapes and element types of every value, by asking the runtime: run at two batch sizes, and what changes depends on the batch. */
import { UserError } from '../../errors.ts';
import { type DType, type NumericDType, numbersOf, sizeOf, type Tensor, zeros } from '../../tensor/tensor.ts';
import { graphBuilder } from '../builder.ts';
import { bodiesOf, feedsOf, type Graph, readsOf, type Value } from '../graph.ts';
import { hasOpenLoops, type Run, type RunOnce, runBody, withTurns } from './control-flow/body-runs.ts';
import { hasBody } from './rewrite.ts';
import { sequencesOf } from './sequences.ts';

/** Runs a graph once; the passes that must ask the runtime get it as an argument, so core/onnx itself needs none. */
export type Execute = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => Promise<Record<string, Tensor>>;

/** A known size, or null for one that depends on the batch (found by running at two batch sizes). */
export type KnownDim = number | null;

export interface ShapeEntry {
  readonly dtype: DType;
  readonly dims: readonly KnownDim[];
  /** Set where the sizes differ between turns of a loop. */
  readonly varies?: true;
  /** Axes whose size is the batch itself (not a multiple of it); empty or absent where none is. */
  readonly batchAxes?: readonly number[];
}

/** Every value of a graph (inputs, initializers, intermediates, outputs) by name. */
export type ShapeTable = ReadonlyMap<string, ShapeEntry>;

/** Two batch sizes that no fixed size is likely to be mistaken for: neither is 1, which broadcasts. */
const sizes = [2, 3] as const;

/**
 * Shapes and dtypes of all values, those inside bodies of If, Loop and Scan included (the bodies must be plain: control-flow/plain-bodies.ts). Symbolic and
 * unknown sizes of the graph's inputs are taken to be the batch: bind any others first (bind-dims.ts).
 * A graph without symbolic sizes is run once, at its own sizes; one with loops whose length depends on the data twice, at different lengths.
 * Values of a body that cannot be run with what the probe feeds (zeros) are missing, and so are sequences, which have no shape.
 */
export async function inferShapes(graph: Graph, execute: Execute): Promise<ShapeTable> {
  const table = new Map<string, ShapeEntry>();
  const runs = await probeRuns(graph, execute);
  record(graph, runs, table);
  await recordBodies(runs, table, execute);
  return table;
}

/** Shapes and dtypes of the values outside bodies. */
export async function outerShapes(graph: Graph, execute: Execute): Promise<ShapeTable> {
  const table = new Map<string, ShapeEntry>();
  record(graph, await probeRuns(graph, execute), table);
  return table;
}

async function probeRuns(graph: Graph, execute: Execute): Promise<ProbeRun[]> {
  const symbolic = feedsOf(graph).some((v) => v.dims?.some((d) => typeof d !== 'number'));
  const open = graph.nodes.some(hasBody) && hasOpenLoops(graph);
  const runs: ProbeRun[] = [];
  for (const [i, batch] of (symbolic || open ? sizes : [1]).entries()) {
    const probed = open ? withTurns(graph, i + 1) : graph;
    runs.push(await runOnce(probed, symbolic ? batch : 1, probeFeeds(graph, batch), [], execute));
  }
  return runs;
}

interface ProbeRun extends Run {
  readonly shapes: ReadonlyMap<string, { readonly dtype: DType; readonly dims: readonly number[] }>;
}

/** Runs a graph for the shape of every value, and for what its bodies and the caller need to know of the values themselves. */
async function runOnce(
  graph: Graph,
  batch: number,
  feeds: Readonly<Record<string, Tensor>>,
  wanted: readonly string[],
  execute: Execute,
): Promise<ProbeRun> {
  const sequences = sequencesOf(graph);
  const all = [...feedsOf(graph).map((v) => v.name), ...graph.nodes.flatMap((n) => n.outputs)];
  const names = all.filter((name) => name !== '' && !sequences.has(name));
  const computed = new Set(graph.nodes.flatMap((n) => n.outputs));
  const read = [...wanted, ...graph.nodes.filter(hasBody).flatMap(readsOf)];
  const values = [...new Set(read)].filter((name) => name !== '' && computed.has(name));
  const results = await execute(probe(graph, names, values), feeds);
  const shapes = names.map(
    (name, i) => [name, { dtype: results[`empty_${i}`]!.dtype, dims: numbersOf(results[`shape_${i}`]!) }] as const,
  );
  return {
    graph,
    batch,
    feeds,
    values: Object.fromEntries(values.map((name) => [name, results[name]!])),
    shapes: new Map(shapes),
  };
}

/** Enters what the runs of a graph agree on, and what depends on the batch, under each name. */
function record(graph: Graph, runs: readonly ProbeRun[], table: Map<string, ShapeEntry>): void {
  for (const [name, value] of graph.initializers) table.set(name, { dtype: value.dtype, dims: value.dims });
  for (const [name, { dtype, dims: first }] of runs[0]!.shapes) {
    // what the probe itself added is named differently from run to run
    if (!runs.every((run) => run.shapes.has(name))) continue;
    const all = runs.map((run) => run.shapes.get(name)!.dims);
    const dims = first.map((d, axis) => (all.every((s) => s[axis] === d) ? d : null));
    const batchAxes = dims.flatMap((d, axis) =>
      d === null && all.every((s, run) => s[axis] === runs[run]!.batch) ? [axis] : [],
    );
    const varies = all.some((s, run) => all.some((t, other) => runs[run]!.batch === runs[other]!.batch && s.join() !== t.join()));
    table.set(name, { dtype, dims, ...(batchAxes.length === 0 ? {} : { batchAxes }), ...(varies ? { varies: true } : {}) });
  }
}

/** The same for all that lies inside the bodies of a graph that was run. */
async function recordBodies(around: readonly ProbeRun[], table: Map<string, ShapeEntry>, execute: Execute): Promise<void> {
  const once: RunOnce<ProbeRun> = (graph, batch, feeds, names) => runOnce(graph, batch, feeds, names, execute);
  for (const [n, node] of around[0]!.graph.nodes.entries()) {
    for (const [b, body] of bodiesOf(node).entries()) {
      const runs: ProbeRun[] = [];
      for (const run of around) {
        const same = run.graph.nodes[n]!;
        runs.push(...(await runBody(same, bodiesOf(same)[b]!, run, once)));
      }
      if (runs.length === 0) continue;
      record(body, runs, table);
      await recordBodies(runs, table, execute);
    }
  }
}

/** For every value its shape, and an empty slice that carries its dtype: nothing big leaves the runtime but `values`. */
function probe(graph: Graph, names: readonly string[], values: readonly string[]): Graph {
  const g = graphBuilder({ from: { ...graph, outputs: [] } });
  const [flat, zero] = [g.ints([-1]), g.ints([0])];
  for (const [i, name] of names.entries()) {
    g.output(g.op('Shape', [name], {}, `shape_${i}`), [null], 'int64');
    g.op('Slice', [g.op('Reshape', [name, flat]), zero, zero, zero], {}, `empty_${i}`);
    g.untypedOutput(`empty_${i}`);
  }
  for (const name of values) g.untypedOutput(name);
  return g.build();
}

/** Zeros for every input, with `batch` for each size that is not fixed. */
export function probeFeeds(graph: Graph, batch: number): Record<string, Tensor> {
  return Object.fromEntries(feedsOf(graph).map((v) => [v.name, zeroFeed(v, batch)]));
}

/** Elements a fed array may have: V8 holds no more than 2^33 bytes in one, and a model that reads people takes far less. */
const mostElements = 2 ** 30;

function zeroFeed({ name, dtype, dims }: Value, batch: number): Tensor {
  if (dtype === undefined || dims === undefined) {
    throw new UserError(`input "${name}" has no tensor type or rank in the file`, 'export the model with typed inputs');
  }
  const known = dims.map((d) => (typeof d === 'number' ? d : batch));
  if (!(sizeOf(known) <= mostElements))
    throw new UserError(
      `input "${name}" has the sizes [${known}], more than any array can hold`,
      'the file is damaged, or needs sizes of its own: state them in the manifest (shape)',
    );
  return dtype === 'string'
    ? { dtype, dims: known, data: new Array<string>(sizeOf(known)).fill('') }
    : zeros(dtype as NumericDType, known);
}
