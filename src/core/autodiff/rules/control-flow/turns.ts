/** @file What the derivatives of Loop and Scan share: which values of a body count, and the body that takes one turn back. */
import { UserError } from '../../../errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../onnx/builder.ts';
import { describeNode, freeIn, type Graph, type Node } from '../../../onnx/graph.ts';
import type { FlowScene } from '../../rule.ts';

/** A loop as its derivative sees it. Lists of one kind are parallel. */
export interface Turns {
  readonly node: Node;
  readonly body: Graph;
  /** Values the states start from, and their names at the start and at the end of a turn. */
  readonly inits: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Inputs of the body that are slices of scanned inputs. */
  readonly slices: readonly string[];
  /** Scanned inputs on the path. */
  readonly scanned: readonly string[];
  /** Results of the body that are stacked. */
  readonly stacked: readonly string[];
}

/** The gradient of one turn: `graph` gives, from the cotangents of states and stacked results, those of states, slices and captures, in this order. */
export interface TurnBack {
  readonly graph: Graph;
  /** Numbers of the states and slices the gradient goes through, and the names of such captures. */
  readonly states: readonly number[];
  readonly slices: readonly number[];
  readonly captures: readonly string[];
  /** Name in the graph of the cotangent of each such state, and of each stacked result that has one. */
  readonly stateSeeds: readonly string[];
  readonly stackSeeds: ReadonlyMap<number, string>;
  /** Everything the graph reads but does not make. */
  readonly reads: ReadonlySet<string>;
}

/** The gradient of one turn. `stackDy` are the cotangents of the stacked results. */
export function turnBack(t: Turns, stackDy: readonly (string | undefined)[], scene: FlowScene): TurnBack {
  const { body } = t;
  const isFloat = (name: string): boolean => scene.dtype(name).startsWith('float');
  const captures = [...freeIn(body)].filter((name) => scene.onPath(name) && isFloat(name));
  const slices = t.slices.flatMap((name, i) => (scene.onPath(t.scanned[i]!) && isFloat(name) ? [i] : []));
  const states = statesOnPath(t, [...captures, ...slices.map((i) => t.slices[i]!)], scene);
  for (const i of states) refuseGrowing(t.node, t.before[i]!, t.after[i]!, scene);
  const stateSeeds = states.map((i) => fresh(`d_${t.after[i]}`, scene.taken));
  const stackSeeds = new Map<number, string>();
  for (const [i, dy] of stackDy.entries()) if (dy !== undefined) stackSeeds.set(i, fresh(`d_${t.stacked[i]}`, scene.taken));
  const seeds = [
    ...states.map((i, k) => [t.after[i]!, stateSeeds[k]!] as const),
    ...[...stackSeeds].map(([i, name]) => [t.stacked[i]!, name] as const),
  ];
  const wrt = [...states.map((i) => t.before[i]!), ...slices.map((i) => t.slices[i]!), ...captures];
  const graph = scene.differentiate(body, seeds, wrt);
  return { graph, states, slices, captures, stateSeeds, stackSeeds, reads: freeIn({ ...graph, inputs: [] }) };
}

/** States that depend on what is differentiated: from the start, or because a turn puts something of it in. */
function statesOnPath(t: Turns, others: readonly string[], scene: FlowScene): number[] {
  const isFloat = (i: number): boolean => scene.dtype(t.before[i]!).startsWith('float');
  let found = t.inits.flatMap((init, i) => (scene.onPath(init) && isFloat(i) ? [i] : []));
  for (;;) {
    const reached = scene.reach(t.body, [...others, ...found.map((i) => t.before[i]!)]);
    const more = t.after.flatMap((name, i) => (isFloat(i) && (found.includes(i) || reached.has(name)) ? [i] : []));
    if (more.length === found.length) return found;
    found = more;
  }
}

/** What grows from turn to turn cannot be saved in one stack. */
export function refuseGrowing(node: Node, before: string, after: string, scene: FlowScene): void {
  if (!scene.varies(before) && scene.dims(before).length === scene.dims(after).length) return;
  throw new UserError(
    `${describeNode(node)} lies on the gradient path, and its state "${before}" changes its size from turn to turn`,
    'collect what grows as a scan output instead, or fix the number of turns so that the loop can be written out',
  );
}

/** A new name, kept from all builders. */
export function fresh(hint: string, taken: Set<string>): string {
  let made = hint;
  for (let count = 1; taken.has(made); count++) made = `${hint}_${count}`;
  taken.add(made);
  return made;
}

/** A body to be: the cotangents of the states and the sums so far come in, and go out one turn earlier. */
export interface BackBody {
  readonly b: GraphBuilder;
  /** Ends the body with the nodes of the turn and its results: cotangents of the states, sums of the captures, cotangents of the slices. */
  finish(): Graph;
}

/** Starts the body of the loop that runs backwards, with its states declared; what it reads besides is put in before the nodes of the turn. */
export function backBody(t: Turns, turn: TurnBack, scene: FlowScene, leading: (b: GraphBuilder) => string | undefined): BackBody {
  const b = graphBuilder({ name: `${t.body.name}_back`, taken: scene.taken });
  const condition = leading(b);
  for (const [k, i] of turn.states.entries()) b.input(turn.stateSeeds[k]!, scene.dims(t.before[i]!), scene.dtype(t.before[i]!));
  const sums = turn.captures.map((name) => b.input(fresh(`sum_${name}`, scene.taken), scene.dims(name), scene.dtype(name)));
  return {
    b,
    finish() {
      const { graph } = turn;
      for (const [name, value] of graph.initializers) b.constant(value, name);
      for (const node of graph.nodes) b.add(node);
      const made = graph.outputs.map((v) => v.name);
      const [states, slices] = [turn.states.length, turn.slices.length];
      if (condition !== undefined) b.untypedOutput(b.op('Identity', [condition]));
      for (const name of made.slice(0, states)) b.untypedOutput(name);
      for (const [k, sum] of sums.entries()) b.untypedOutput(b.op('Add', [sum, made[states + slices + k]!]));
      for (const name of made.slice(states, states + slices)) b.untypedOutput(name);
      return withoutSizes(b.build());
    },
  };
}

/** Sizes of a body's inputs are those of what comes in; the runtime only insists on scalars being declared. */
const withoutSizes = (graph: Graph): Graph => ({
  ...graph,
  opsets: new Map(),
  inputs: graph.inputs.map((v) => (v.dims?.length === 0 ? v : { ...v, dims: undefined })),
});

/** What the loop that runs backwards starts from: cotangents of the last states, and zeros for the sums. */
export const startOf = (t: Turns, turn: TurnBack, finalDy: readonly (string | undefined)[], scene: FlowScene): string[] => [
  ...turn.states.map((i) => finalDy[i] ?? scene.filled(t.inits[i]!, 0)),
  ...turn.captures.map((name) => scene.filled(name, 0)),
];

/** The node that saves, beside its own results, the states each turn starts from; and the names of those stacks by body input. */
export function saving(
  t: Turns,
  wanted: readonly string[],
  outputs: readonly string[],
  scene: FlowScene,
): { node: Node; stacks: ReadonlyMap<string, string> } {
  const body = graphBuilder({ from: t.body, taken: scene.taken });
  const stacks = new Map<string, string>();
  for (const name of wanted) {
    body.untypedOutput(body.op('Identity', [name]));
    stacks.set(name, fresh(`${name}_turns`, scene.taken));
  }
  const attributes = new Map(t.node.attributes).set('body', { type: 'graph', value: body.build() });
  return { node: { ...t.node, outputs: [...outputs, ...stacks.values()], attributes }, stacks };
}
