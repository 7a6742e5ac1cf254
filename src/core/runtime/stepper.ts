/** @file A graph that is run again and again, each run replacing its state: weights, optimiser memory, running statistics. */
import type { Graph } from '../onnx/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { inverseOf, transpose } from '../tensor/transpose.ts';
import type { Feeds, Runtime } from './runtime.ts';

export interface Stepper {
  /**
   * Runs one step from the present state. The new state is kept where `accept` says so of the other outputs, and dropped otherwise: a step that went
   * wrong (a loss that is not a number) leaves everything as it was.
   */
  run(feeds: Feeds, accept?: (outputs: Readonly<Record<string, Tensor>>) => boolean): Promise<Record<string, Tensor>>;
  /**
   * The present state, by the names of the graph's inputs: views, to be read only. What the graph holds in another order is put into everybody's when it is
   * first looked at: who reads the weights does not pay for the optimiser's memory.
   */
  state(): Readonly<Record<string, Tensor<'float32'>>>;
  /** Replaces state; the values are copied. Throws when a name, dtype or shape is not that of the state. */
  set(state: Readonly<Record<string, Tensor>>): void;
  release(): Promise<void>;
}

/**
 * Inputs that are state: the output that holds the next value of each, and its first value. Where the graph holds a tensor with its axes in another order
 * than everybody else, `held` is that order (tensor/transpose.ts): `first`, `state` and `set` have the order of everybody else.
 */
export type StateLinks = Readonly<
  Record<string, { readonly next: string; readonly first: Tensor<'float32'>; readonly held?: readonly number[] }>
>;

/**
 * Opens a session whose state is what the last accepted run returned. Writing over the old state instead would save nothing: the runtime's binding copies
 * every output into an array of its own even where it was given one to write into, and an update may run before the last reader of the old weights.
 */
export async function openStepper(graph: Graph, links: StateLinks, runtime: Runtime): Promise<Stepper> {
  const session = await runtime.open(graph);
  const names = Object.keys(links);
  const inside = (name: string, value: Tensor<'float32'>): Tensor<'float32'> => {
    const { held } = links[name]!;
    return held === undefined ? { ...value, data: value.data.slice() } : transpose(value, held);
  };
  const outside = (name: string, value: Tensor<'float32'>): Tensor<'float32'> => {
    const { held } = links[name]!;
    return held === undefined ? value : transpose(value, inverseOf(held));
  };
  const each = (make: (name: string) => Tensor<'float32'>): Record<string, Tensor<'float32'>> =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  let present = each((name) => inside(name, links[name]!.first));
  let shown: Record<string, Tensor<'float32'>> | undefined;
  const reads = new Set(session.inputs);
  const next = new Set(names.map((name) => links[name]!.next));
  const others = session.outputs.filter((output) => !next.has(output));
  const shownState = () => {
    shown ??= onceLookedAt(names, present, outside);
    return shown;
  };
  return {
    async run(feeds, accept = () => true) {
      const state = Object.fromEntries(names.filter((name) => reads.has(name)).map((name) => [name, present[name]!]));
      const results = await session.run({ ...state, ...feeds });
      const outputs = Object.fromEntries(others.map((name) => [name, results[name]!]));
      if (accept(outputs)) {
        present = each((name) => results[links[name]!.next] as Tensor<'float32'>);
        shown = undefined;
      }
      return outputs;
    },
    state: shownState,
    set(state) {
      for (const [name, value] of Object.entries(state)) {
        const link = links[name];
        if (link === undefined) throw new Error(`"${name}" is not state of this graph (${names.slice(0, 5).join(', ')} ...)`);
        if (value.dtype !== 'float32' || link.first.dims.join() !== value.dims.join())
          throw new Error(`state "${name}" is float32 [${link.first.dims}], got ${value.dtype} [${value.dims}]`);
      }
      const given = Object.entries(state).map(([name, value]) => [name, inside(name, value as Tensor<'float32'>)] as const);
      present = { ...present, ...Object.fromEntries(given) };
      shown = undefined;
    },
    release: () => session.release(),
  };
}

/** An object with a property for each name, made from the value of that name the first time it is read. */
function onceLookedAt<T>(
  names: readonly string[],
  values: Readonly<Record<string, T>>,
  make: (name: string, value: T) => T,
): Record<string, T> {
  const all: Record<string, T> = {};
  for (const name of names) {
    let made: T | undefined;
    Object.defineProperty(all, name, {
      enumerable: true,
      get() {
        made ??= make(name, values[name]!);
        return made;
      },
    });
  }
  return all;
}
