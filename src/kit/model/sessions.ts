/** @file The two runtime sessions of a model: forward, and loss + logits + gradient. Each is made when first needed. */
import { type Cut, gradient } from '../../core/autodiff/gradient.ts';
import type { Surrogate, Twin } from '../../core/autodiff/substitutes.ts';
import { type Graph, nodeName, producersOf } from '../../core/onnx/graph.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import type { Runtime, Session } from '../../core/runtime/runtime.ts';
import { type LossInputs, withLoss } from '../losses/graph.ts';
import { attackedInputs, batchAxis, logitsName, type Model } from './model.ts';

export interface SessionOptions {
  readonly surrogates?: readonly Surrogate[];
  readonly twins?: readonly Twin[];
}

export interface ForwardSession {
  readonly session: Session;
  /** Name of the logits, [N, C]. */
  readonly logits: string;
  /** Whether a batch of 1 must be padded to 2 for results that do not depend on the batch. */
  readonly pairs: boolean;
}

export interface GradientSession extends ForwardSession {
  readonly loss: string;
  readonly lossInputs: LossInputs;
  /** Output that holds the gradient of each attacked input. */
  readonly gradients: Readonly<Record<string, string>>;
  readonly cuts: readonly Cut[];
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
}

export interface ModelSessions {
  readonly model: Model;
  forward(): Promise<ForwardSession>;
  /** Throws a UserError where an op on the path from an attacked input to the loss has no derivative. */
  gradient(): Promise<GradientSession>;
  /** Frees the runtime's memory; the next question opens the sessions again. */
  release(): Promise<void>;
}

/** The sessions of a model under one choice of surrogates and twins. */
export function openSessions(model: Model, runtime: Runtime, options: SessionOptions = {}): ModelSessions {
  const logits = logitsName(model);
  const graph = forwardGraph(model);
  const batched = Object.keys(model.inputs).filter((name) => batchAxis(model.inputs[name]!) !== undefined);

  const openForward = async (): Promise<ForwardSession> => ({
    session: await runtime.open(graph),
    logits,
    pairs: needsPairs(graph, batched),
  });
  const own = new Set(graph.nodes.map(nodeName));
  const openGradient = async (): Promise<GradientSession> => {
    const { graph: joined, inputs, loss } = withLoss(graph, { logits, classes: model.classes.length });
    const made = await gradient(joined, runtime.execute, {
      of: [loss],
      wrt: attackedInputs(model),
      surrogates: options.surrogates ?? [],
      twins: options.twins ?? [],
    });
    return {
      session: await runtime.open(made.graph),
      logits,
      pairs: needsPairs(made.graph, [...batched, ...Object.values(inputs)]),
      loss,
      lossInputs: inputs,
      gradients: made.gradients,
      // the loss heads choose classes by comparisons: no cuts of the model
      cuts: made.cuts.filter((cut) => own.has(cut.node)),
      substitutes: made.substitutes,
    };
  };

  const forward = lazily(openForward);
  const backward = lazily(openGradient);
  return {
    model,
    forward: forward.get,
    gradient: backward.get,
    async release() {
      await forward.release();
      await backward.release();
    },
  };
}

/** The model's graph with the logits as its only output. */
export function forwardGraph(model: Model): Graph {
  const logits = logitsName(model);
  const output = model.graph.outputs.find((v) => v.name === logits);
  if (output === undefined) throw new Error(`${model.name}: the graph has no output "${logits}"`);
  return dropDead({ ...model.graph, outputs: [output] });
}

/**
 * Whether a matrix product has a right-hand side that is neither a constant nor made from the batch (weights that are fed or computed).
 * The runtime's matrix-vector kernel, taken for a batch of 1, rounds such a product differently from its matrix-matrix kernel.
 */
export function needsPairs(graph: Graph, batched: readonly string[]): boolean {
  const fromBatch = new Set(batched);
  for (const node of graph.nodes)
    if (node.inputs.some((name) => fromBatch.has(name))) for (const output of node.outputs) fromBatch.add(output);
  const producers = producersOf(graph);
  const isFedOrComputed = (name: string): boolean => producers.has(name) || graph.inputs.some((v) => v.name === name);
  return graph.nodes.some(
    ({ op, inputs }) =>
      (op === 'MatMul' || op === 'Gemm') &&
      !graph.initializers.has(inputs[1]!) &&
      !fromBatch.has(inputs[1]!) &&
      isFedOrComputed(inputs[1]!),
  );
}

/** Opens once, on first use, and again after a release; a failed opening is not remembered. */
function lazily<T extends ForwardSession>(open: () => Promise<T>): { get(): Promise<T>; release(): Promise<void> } {
  let opened: Promise<T> | undefined;
  return {
    get() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    async release() {
      const current = opened;
      opened = undefined;
      await (await current)?.session.release();
    },
  };
}
