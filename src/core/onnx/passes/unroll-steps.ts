/** @file A model of a single time step, (x, states) -> (result, states), written out over a number of steps. */
import { suggestion, UserError } from '../../errors.ts';
import { sizeOf, zeros } from '../../tensor/tensor.ts';
import { graphBuilder } from '../builder.ts';
import { type Dim, feedsOf, type Graph, type Value } from '../graph.ts';
import { definedIn, renamed } from './control-flow/rename.ts';

export interface StepOptions {
  /** Name of the output that holds the next value of each state, by the name of its input. States start at 0. */
  readonly states: Readonly<Record<string, string>>;
  readonly steps: number;
  /** Whether the other inputs have an axis of time after the first one; else every step is fed the same. */
  readonly frames?: boolean;
}

/**
 * The steps one after the other in one graph: the states lead from each to the next and are inputs no longer, every other output is the mean over the steps.
 * With `frames` an input [N, ...] becomes [N, steps, ...]. Values of a step are called `stepT/NAME`. Throws a UserError for names the graph does not have
 * and for states whose sizes are not stated in the file (the batch, which is that of the first other input, excepted).
 */
export function unrollSteps(graph: Graph, { states, steps, frames = false }: StepOptions): Graph {
  const inputs = feedsOf(graph);
  const named = (what: string, name: string, all: readonly Value[]): Value => {
    const value = all.find((v) => v.name === name);
    if (value !== undefined) return value;
    throw new UserError(
      `spikes: states: there is no ${what} "${name}"`,
      suggestion(
        name,
        all.map((v) => v.name),
      ),
    );
  };
  const carried = Object.entries(states).map(([from, to]) => ({
    from: named('input', from, inputs),
    to: named('output', to, graph.outputs),
  }));
  const given = inputs.filter((v) => !(v.name in states));
  const results = graph.outputs.filter((v) => !Object.values(states).includes(v.name));
  if (given.length === 0 || results.length === 0)
    throw new UserError(
      'spikes: states: an input and an output must be left beside the states',
      'list only inputs and outputs that hold states',
    );

  const g = graphBuilder({ from: { ...graph, nodes: [], inputs: [], outputs: [], values: new Map() } });
  for (const { name, dims, dtype } of given) g.input(name, frames ? withTime(name, dims, steps) : (dims ?? []), dtype);
  const batch = given.find((v) => typeof v.dims?.[0] !== 'number');
  let kept = new Map(carried.map(({ from }) => [from.name, initial(g, from, batch)]));
  const inner = definedIn(graph);
  const perStep = new Map(results.map((v): [string, string[]] => [v.name, []]));
  for (let t = 0; t < steps; t++) {
    const names = new Map(kept);
    if (frames)
      for (const { name } of given)
        names.set(name, g.op('Gather', [name, g.constant(scalarIndex(t))], { axis: 1 }, `step${t}/${name}`));
    const rename = (name: string): string =>
      names.get(name) ??
      (inner.has(name) && !graph.initializers.has(name) && !given.some((v) => v.name === name) ? `step${t}/${name}` : name);
    for (const node of graph.nodes) g.add({ ...renamed(node, rename), name: node.name === '' ? '' : `step${t}/${node.name}` });
    kept = new Map(carried.map(({ from, to }) => [from.name, rename(to.name)]));
    for (const { name } of results) perStep.get(name)!.push(rename(name));
  }
  for (const { name, dims, dtype } of results) {
    const all = perStep.get(name)!;
    g.op('Div', [g.op('Sum', all), g.number(steps)], {}, name);
    g.output(name, dims ?? [], dtype);
  }
  return g.build();
}

const scalarIndex = (t: number) => ({ dtype: 'int64' as const, dims: [], data: BigInt64Array.of(BigInt(t)) });

function withTime(name: string, dims: readonly Dim[] | undefined, steps: number): Dim[] {
  const [first, ...rest] = dims ?? [];
  if (first === undefined)
    throw new UserError(
      `spikes: frames: input "${name}" has no batch axis, after which time could stand`,
      'export the step with a batch axis first',
    );
  return [first, steps, ...rest];
}

/** Zeros in the sizes of a state. */
function initial(g: ReturnType<typeof graphBuilder>, { name, dims, dtype = 'float32' }: Value, batch: Value | undefined): string {
  const refuse = (): never => {
    throw new UserError(
      `spikes: states: the sizes of "${name}" are not stated in the file`,
      'export the step with sizes, all but the batch',
    );
  };
  if (dims === undefined || dtype === 'string') return refuse();
  if (dims.every((d) => typeof d === 'number')) return g.constant(zeros(dtype, dims as number[]), `initial/${name}`);
  const [first, ...rest] = dims;
  if (typeof first === 'number' || !rest.every((d) => typeof d === 'number') || batch === undefined) return refuse();
  const rows = g.op('Shape', [batch.name], { start: 0, end: 1 });
  const shape = rest.length === 0 ? rows : g.op('Concat', [rows, g.ints(rest as number[])], { axis: 0 });
  const value = zeros(dtype, sizeOf(rest as number[]) === 0 ? [0] : [1]);
  return g.op('ConstantOfShape', [shape], { value }, `initial/${name}`);
}
