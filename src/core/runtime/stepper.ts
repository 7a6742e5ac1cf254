/** @file A graph that is run again and again, each run replacing its state: weights, optimiser memory, running statistics. Nothing of the state is copied. */
import type { Graph } from '../onnx/graph.ts';
import type { NumericDType } from '../tensor/tensor.ts';
import { type Tensor, zeros } from '../tensor/tensor.ts';
import type { Feeds, Runtime } from './runtime.ts';

export interface Stepper {
  /**
   * Runs one step from the present state. The new state is kept where `accept` says so of the other outputs, and dropped otherwise: a step that went
   * wrong (a loss that is not a number) leaves everything as it was.
   */
  run(feeds: Feeds, accept?: (outputs: Readonly<Record<string, Tensor>>) => boolean): Promise<Record<string, Tensor>>;
  /** The present state, by the names of the graph's inputs. The arrays are those the next run reads; the run after it writes into them. */
  state(): Readonly<Record<string, Tensor<NumericDType>>>;
  /** Replaces state; the values are copied. Throws when a name, dtype or shape is not that of the state. */
  set(state: Readonly<Record<string, Tensor>>): void;
  release(): Promise<void>;
}

/** Inputs that are state: the output that holds the next value of each, and its first value. */
export type StateLinks = Readonly<Record<string, { readonly next: string; readonly first: Tensor<NumericDType> }>>;

/**
 * Opens a session whose state lives in two sets of arrays: a run reads one and writes the other, and they change places. Writing over what is read would
 * save one set, but an update may run before the last reader of the old weights.
 */
export async function openStepper(graph: Graph, links: StateLinks, runtime: Runtime): Promise<Stepper> {
  const session = await runtime.open(graph);
  const names = Object.keys(links);
  const copy = (t: Tensor<NumericDType>): Tensor<NumericDType> => ({ ...t, data: t.data.slice() }) as Tensor<NumericDType>;
  let present = Object.fromEntries(names.map((name) => [name, copy(links[name]!.first)]));
  let spare = Object.fromEntries(names.map((name) => [name, zeros(links[name]!.first.dtype, links[name]!.first.dims)]));
  const reads = new Set(session.inputs);
  const others = session.outputs.filter((output) => !names.some((name) => links[name]!.next === output));
  return {
    async run(feeds, accept = () => true) {
      const state = Object.fromEntries(names.filter((name) => reads.has(name)).map((name) => [name, present[name]!]));
      const into = Object.fromEntries(names.map((name) => [links[name]!.next, spare[name]!]));
      const results = await session.run({ ...state, ...feeds }, others, into);
      const outputs = Object.fromEntries(others.map((name) => [name, results[name]!]));
      if (accept(outputs)) [present, spare] = [spare, present];
      return outputs;
    },
    state: () => present,
    set(state) {
      for (const [name, value] of Object.entries(state)) {
        const held = present[name];
        if (held === undefined) throw new Error(`"${name}" is not state of this graph (${names.slice(0, 5).join(', ')} ...)`);
        if (held.dtype !== value.dtype || held.dims.join() !== value.dims.join())
          throw new Error(`state "${name}" is ${held.dtype} [${held.dims}], got ${value.dtype} [${value.dims}]`);
      }
      for (const [name, value] of Object.entries(state)) (present[name]!.data as Float32Array).set(value.data as Float32Array);
    },
    release: () => session.release(),
  };
}
