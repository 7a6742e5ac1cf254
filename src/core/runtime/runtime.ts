/** @file onnxruntime-node and onnxruntime-web behind one small interface; the module itself is handed in, so this file runs anywhere. */
import type * as ort from 'onnxruntime-common';
import { RuntimeFailure } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Execute } from '../onnx/passes/shapes.ts';
import { writeApart } from '../onnx/writer.ts';
import type { DType, Tensor } from '../tensor/tensor.ts';
import { racesWithThreads } from './races.ts';

/** What is needed of `onnxruntime-node` or `onnxruntime-web`. */
export type OrtModule = Pick<typeof ort, 'InferenceSession' | 'Tensor'>;

export type Feeds = Readonly<Record<string, Tensor>>;

export interface Session {
  /** Runs the graph; `fetch` limits what is copied out, not what is computed. */
  run(feeds: Feeds, fetch?: readonly string[]): Promise<Record<string, Tensor>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Element type of each output, as the runtime inferred it; undefined for what is not a tensor. */
  dtype(output: string): DType | undefined;
  release(): Promise<void>;
}

const failing = (cause: unknown): never => {
  throw new RuntimeFailure((cause as Error).message, { cause });
};

export interface Runtime {
  open(graph: Graph | Uint8Array): Promise<Session>;
  /** Opens, runs once and releases, without graph optimisation: for passes that ask the runtime. */
  readonly execute: Execute;
  readonly options: Required<RuntimeOptions>;
}

export interface RuntimeOptions {
  /** Compute threads of a session, at most: a graph that threads would get wrong (races.ts) runs on one. */
  threads?: number;
  providers?: readonly string[];
  /** Bit-equality holds at a fixed level only, so it is recorded with every run. */
  optimization?: 'disabled' | 'basic' | 'extended' | 'all';
}

export const runtimeDefaults: Required<RuntimeOptions> = { threads: 1, providers: ['cpu'], optimization: 'all' };

/** A runtime over the given onnxruntime module. Threads wait busily within a run (5 % of a gradient step) and stop when it ends: sessions used in turn would slow each other down twofold. */
export function createRuntime(module: OrtModule, options: RuntimeOptions = {}): Runtime {
  const settings = { ...runtimeDefaults, ...options };
  const open = async (graph: Graph | Uint8Array, optimization: RuntimeOptions['optimization']): Promise<Session> => {
    const { model, weights } = graph instanceof Uint8Array ? { model: graph, weights: [] } : writeApart(graph);
    const session = await module.InferenceSession.create(model, {
      ...(weights.length === 0 ? {} : { externalData: weights }),
      executionProviders: [...settings.providers],
      intraOpNumThreads: graph instanceof Uint8Array || !racesWithThreads(graph) ? settings.threads : 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: optimization ?? settings.optimization,
      // errors are thrown, with the same text
      logSeverityLevel: 4,
      extra: { session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1' }, inter_op: { allow_spinning: '0' } } },
    }).catch(failing);
    return wrap(module, session);
  };
  return {
    options: settings,
    open: (graph) => open(graph, settings.optimization),
    async execute(graph, feeds) {
      const session = await open(graph, 'disabled');
      try {
        return await session.run(feeds);
      } finally {
        await session.release();
      }
    },
  };
}

function wrap(module: OrtModule, session: ort.InferenceSession): Session {
  const types = new Map(session.outputMetadata.map((m) => [m.name, m.isTensor ? (m.type as DType) : undefined]));
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    dtype: (output) => types.get(output),
    async run(feeds, fetch) {
      const given: Record<string, ort.Tensor> = {};
      for (const [name, t] of Object.entries(feeds)) given[name] = new module.Tensor(t.dtype, t.data as never, [...t.dims]);
      const results = await (fetch === undefined ? session.run(given) : session.run(given, [...fetch])).catch(failing);
      return Object.fromEntries(
        Object.entries(results).map(([name, t]) => [name, { dtype: t.type, dims: t.dims, data: t.data } as unknown as Tensor]),
      );
    },
    release: () => session.release(),
  };
}
