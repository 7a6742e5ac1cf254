/** @file A batch size fixed in the file is made symbolic, but only by rewrites that running at other sizes proves (symbolic-batch/proof.ts). */
import { isRefusal } from '../../errors.ts';
import { graphBuilder } from '../builder.ts';
import { type Dim, feedsOf, type Graph, type Node, readsOf } from '../graph.ts';
import { withoutStatedSizes } from './control-flow/plain-bodies.ts';
import { dropDead } from './drop-dead.ts';
import { logitsOf } from './expose-logits.ts';
import { foldSizesAndConstants } from './prepare.ts';
import { namesOf } from './rewrite.ts';
import { type Execute, inferShapes, probeFeeds, type ShapeTable } from './shapes.ts';
import { followBatch } from './symbolic-batch/follow.ts';
import { type Claim, type OutputRows, prove } from './symbolic-batch/proof.ts';
import { isSite, type Measured, type Rewrite, waysOf } from './symbolic-batch/sites.ts';
import { wholeGathers } from './whole-gathers.ts';

export interface SymbolicBatchOptions {
  /** Position of the batch axis, by input name; inputs without a batch are left out. */
  batchAxis: Readonly<Record<string, number>>;
  /** Position of the batch in the outputs, where their sizes leave a choice. */
  outputAxis?: number;
  /** Wrong guesses after which the search gives up; one that only the proof refutes counts six times. */
  guesses?: number;
}

export const symbolicBatchDefaults = { outputAxis: 0, guesses: 24, symbol: 'N' } as const;

export interface SymbolicBatch {
  /** The graph with a symbolic batch where that was proven; otherwise the graph as it was, its sizes folded. */
  readonly graph: Graph;
  readonly proven: boolean;
  /** Why it could not be proven. */
  readonly reason?: string;
}

/**
 * Makes the fixed batch of a prepared graph symbolic ("N"). Every place where the exporter may have written the batch as a number is rewritten, and
 * the result is accepted only if, at two other batch sizes, each row equals what the original gives for it (1e-5 relative, random inputs).
 * A graph that is symbolic already is returned as it is.
 */
export async function makeBatchSymbolic(graph: Graph, execute: Execute, options: SymbolicBatchOptions): Promise<SymbolicBatch> {
  const sizes = Object.entries(options.batchAxis).map(
    ([name, axis]) => feedsOf(graph).find((v) => v.name === name)?.dims?.[axis],
  );
  if (sizes.every((d) => typeof d !== 'number')) return { graph, proven: true };
  const [batch, ...others] = sizes;
  if (typeof batch !== 'number' || batch < 1 || others.some((d) => d !== batch)) {
    return { graph, proven: false, reason: `the inputs do not share one batch size (${sizes.join(', ')})` };
  }
  const folded = await foldSizesAndConstants(graph, execute, { fixed: true });
  let reason: string | undefined;
  // sizes the file reads at run time follow the batch by themselves; only where that does not suffice is everything a literal to be decided on
  for (const variant of folded.nodes.length === graph.nodes.length ? [folded] : [graph, folded]) {
    const found = await search(withLogits(variant), batch, execute, options);
    if (typeof found !== 'string') {
      const made = dropDead({ ...found, outputs: found.outputs.filter((v) => graph.outputs.some((o) => o.name === v.name)) });
      return { graph: await foldSizesAndConstants(made, execute), proven: true };
    }
    reason ??= found;
  }
  return { graph: folded, proven: false, ...(reason === undefined ? {} : { reason }) };
}

/** A saturated Softmax hides what differs between rows, so what enters it is compared too. */
const withLogits = (graph: Graph): Graph => graph.outputs.reduce((g, output) => logitsOf(g, output.name).graph, graph);

interface Decision {
  readonly node: Node;
  readonly ways: readonly Rewrite[];
  chosen: number;
}

/** All there is to know before the first choice. */
interface Task {
  readonly original: Graph;
  /** The original with the batch of its inputs open. */
  readonly open: Graph;
  readonly batch: number;
  readonly shapes: ShapeTable;
  readonly claim: Omit<Claim, 'rewritten'>;
}

/** Places up to which the whole graph is run for each; where there are more, running each node alone is cheaper. */
const fewPlaces = 8;

/** The graph with an open batch; a string says why none was found. */
async function search(given: Graph, batch: number, execute: Execute, options: SymbolicBatchOptions): Promise<Graph | string> {
  const { batchAxis } = options;
  const shapes = await inferShapes(given, execute);
  const original = wholeGathers(given, shapes);
  const claim = { original, batch, batchAxis, outputAxis: options.outputAxis ?? symbolicBatchDefaults.outputAxis };
  const task: Task = { original, open: openInputs(original, batchAxis), batch, shapes, claim };
  const rankOf = (name: string): number => shapes.get(name)?.dims.length ?? 0;
  const places = original.nodes.filter((node) => isSite(original, node, batch, rankOf)).length;
  const guesses = options.guesses ?? symbolicBatchDefaults.guesses;
  const ways = [() => follow(task, execute), () => guess(task, guesses, execute)];
  let reason = '';
  for (const way of places > fewPlaces ? ways : ways.reverse()) {
    const found = await way();
    if (typeof found !== 'string') return found;
    reason = reason === '' ? found : reason;
  }
  return reason;
}

/** Follows the batch from node to node (symbolic-batch/follow.ts). */
async function follow({ original, open, batch, shapes, claim }: Task, execute: Execute): Promise<Graph | string> {
  const { batchAxis } = claim;
  const ways = await followBatch(original, execute, { batch, batchAxis, shapes });
  if (typeof ways === 'string') return ways;
  const rewritten = apply(open, ways, batchAxis);
  const rows = await attempt(rewritten, claim, execute);
  return typeof rows === 'string' ? rows : declare(rewritten, rows);
}

/** Decides place after place in the order of the data, going back to the latest open choice when running contradicts it. */
async function guess({ original, open, batch, shapes, claim }: Task, most: number, execute: Execute): Promise<Graph | string> {
  const decisions: Decision[] = [];
  let guesses = most;
  let reason: string | undefined;
  for (;;) {
    const rewritten = apply(open, waysChosen(decisions), claim.batchAxis);
    const ready = nextSites(original, decisions, batch, shapes);
    const failure =
      ready.length === 0
        ? await attempt(rewritten, claim, execute)
        : await decide({ original, rewritten, ready, batch, shapes }, decisions, execute);
    if (failure !== undefined && typeof failure !== 'string') return declare(rewritten, failure);
    if (failure === undefined) continue;
    reason ??= failure;
    // a graph that runs to its end and is wrong is seldom one guess away from being right
    guesses -= ready.length === 0 ? 6 : 1;
    if (guesses < 0 || !goBack(decisions)) return reason;
  }
}

async function attempt(
  rewritten: Graph,
  claim: Omit<Claim, 'rewritten'>,
  execute: Execute,
): Promise<Map<string, OutputRows> | string> {
  try {
    return await prove({ ...claim, rewritten }, execute);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return `it does not run at another batch size: ${error.message}`;
  }
}

interface Step {
  readonly original: Graph;
  readonly rewritten: Graph;
  readonly ready: readonly Node[];
  readonly batch: number;
  readonly shapes: ShapeTable;
}

/** Measures the inputs of the places that can be looked at now and lists the ways for each; a string says what went wrong. */
async function decide(step: Step, decisions: Decision[], execute: Execute): Promise<string | undefined> {
  const { original, batch, shapes } = step;
  const names = [...new Set(step.ready.flatMap((n) => n.inputs))].filter(
    (name) => name !== '' && !original.initializers.has(name),
  );
  let measured: ReadonlyMap<string, readonly number[]>;
  try {
    measured = await sizesAt(step.rewritten, names, batch + 1, execute);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return `it does not run at another batch size: ${error.message}`;
  }
  const m: Measured = {
    graph: original,
    batch,
    atHome: (name) => (shapes.get(name)?.dims ?? []) as readonly number[],
    abroad: (name) => measured.get(name) ?? [],
  };
  let failure: string | undefined;
  for (const node of step.ready) {
    const ways = waysOf(node, m);
    decisions.push({ node, ways, chosen: 0 });
    if (ways.length === 0) failure ??= `${node.op} "${node.outputs[0]}" holds a constant that cannot follow the batch`;
  }
  return failure;
}

/** Takes back the latest decision that leaves a choice, and chooses the next way. */
function goBack(decisions: Decision[]): boolean {
  for (let last = decisions.at(-1); last !== undefined; last = decisions.at(-1)) {
    if (++last.chosen < last.ways.length) return true;
    decisions.pop();
  }
  return false;
}

/** Undecided places that no other undecided place lies before. */
function nextSites(graph: Graph, decisions: readonly Decision[], batch: number, shapes: ShapeTable): Node[] {
  const rankOf = (name: string): number => shapes.get(name)?.dims.length ?? 0;
  const decided = new Set(decisions.map((d) => d.node));
  const behind = new Set<string>();
  const ready: Node[] = [];
  for (const node of graph.nodes) {
    const waits = readsOf(node).some((i) => behind.has(i));
    const undecided = !decided.has(node) && isSite(graph, node, batch, rankOf);
    if (undecided && !waits) ready.push(node);
    if (undecided || waits) for (const output of node.outputs) behind.add(output);
  }
  return ready;
}

/** The inputs with a symbol at their batch axis; types stated for other values are dropped, they hold for one batch only. */
function openInputs(graph: Graph, batchAxis: Readonly<Record<string, number>>): Graph {
  const open = (dims: readonly Dim[], axis: number): Dim[] => dims.map((d, i) => (i === axis ? symbolicBatchDefaults.symbol : d));
  return {
    ...withoutStatedSizes(graph),
    inputs: graph.inputs.map((v) => (batchAxis[v.name] === undefined ? v : { ...v, dims: open(v.dims!, batchAxis[v.name]!) })),
    outputs: graph.outputs.map((v) => ({ name: v.name, dtype: undefined, dims: undefined })),
  };
}

const waysChosen = (decisions: readonly Decision[]): Map<Node, Rewrite> =>
  new Map(decisions.filter((d) => d.ways.length > 0).map((d) => [d.node, d.ways[d.chosen]!]));

function apply(graph: Graph, ways: ReadonlyMap<Node, Rewrite>, batchAxis: Readonly<Record<string, number>>): Graph {
  const g = graphBuilder({ from: { ...graph, nodes: [] }, taken: namesOf(graph) });
  const [input, axis] = Object.entries(batchAxis)[0]!;
  let read: string | undefined;
  const batch = (): string => {
    read ??= g.op('Shape', [input], { start: axis, end: axis + 1 }, g.fresh('batch'));
    return read;
  };
  for (const node of graph.nodes) {
    const way = ways.get(node);
    if (way === undefined) g.add(node);
    else way(g, node, batch);
  }
  return dropDead(g.build());
}

async function sizesAt(
  graph: Graph,
  names: readonly string[],
  batch: number,
  execute: Execute,
): Promise<Map<string, readonly number[]>> {
  const g = graphBuilder({ from: { ...graph, outputs: [] } });
  for (const [i, name] of names.entries()) g.output(g.op('Shape', [name], {}, `size_${i}`), [null], 'int64');
  const results = await execute(dropDead(g.build()), probeFeeds(graph, batch));
  return new Map(names.map((name, i) => [name, Array.from(results[`size_${i}`]!.data as BigInt64Array, Number)]));
}

/** Output types as they were measured, with the symbol where the rows lie. */
function declare(graph: Graph, rows: ReadonlyMap<string, OutputRows>): Graph {
  const outputs = graph.outputs.map(({ name }) => {
    const { axis, perRow, dtype, dims } = rows.get(name)!;
    return {
      name,
      dtype,
      dims: dims.map((d, i): Dim => (i === axis ? (perRow === 1 ? symbolicBatchDefaults.symbol : null) : d)),
    };
  });
  return { ...graph, outputs };
}
