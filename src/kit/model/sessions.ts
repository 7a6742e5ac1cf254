/** @file The runtime sessions of a model: forward, and loss + logits + gradient (for cross-entropy, and for every loss). Each is made when first needed. */
import { backward, type Cut, type GradientOptions, gradient } from '../../core/autodiff/gradient.ts';
import type { Memory } from '../../core/autodiff/memory.ts';
import type { Provider } from '../../core/autodiff/rule.ts';
import { nameInTwin, type Surrogate, type Twin } from '../../core/autodiff/substitutes.ts';
import { forCpu } from '../../core/layout/for-cpu.ts';
import { trainingGradient } from '../../core/layout/training/index.ts';
import { bodiesOf, type Graph, nodeName } from '../../core/onnx/graph.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import { namesOf } from '../../core/onnx/passes/rewrite.ts';
import type { ShapeTable } from '../../core/onnx/passes/shapes.ts';
import type { Runtime, Session } from '../../core/runtime/runtime.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { type LossInputs, withLoss } from '../losses/graph.ts';
import { extendShapes } from './extend-shapes.ts';
import { attackedInputs, batchAxis, fedSpecs, type InputSpec, logitsName, type Model } from './model.ts';
import { needsPairs } from './pairs.ts';
import type { NotSliced, SlicedForward } from './time/slice-session.ts';
import { closeSliced, openSliced } from './time/sliced.ts';

export interface SessionOptions {
  readonly surrogates?: readonly Surrogate[];
  readonly twins?: readonly Twin[];
  /** The weights are inputs of the graph that are fed with every run, so that the runtime cannot lay them out beforehand. */
  readonly fedWeights?: boolean;
}

/**
 * The largest map whose convolution by fed weights is a product of rows in an attack's gradient. Measured with 64 channels: rows win at 6 x 6 (2.7 against 5.4 ms)
 * and 8 x 8, are even at 12 x 12, and lose beyond, where no gradient of the weights shares the patches.
 */
const fedPositions = 64;

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
  /** Attacked inputs that no gradient reaches. */
  readonly unreached: readonly string[];
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
  /** What stand-ins remember of a sample from one question to the next: fed in and read out with every run. */
  readonly memories: readonly SampleMemory[];
}

/** A memory as one sample has it. */
export interface SampleMemory extends Pick<Memory, 'key' | 'input' | 'output'> {
  readonly spec: Pick<InputSpec, 'shape' | 'layout' | 'dtype'>;
  /** Before the first question. */
  readonly initial: Float32Array;
}

/** Which losses a gradient session offers: cross-entropy alone, which most attacks use and small models feel the rest, or every one of loss.ts. */
export type GradientHeads = 'ce' | 'all';

export interface ModelSessions {
  readonly model: Model;
  forward(): Promise<ForwardSession>;
  /** The forward session cut into slices of time, so that inputs which begin alike share work; or why that is not to be had. The bits are those of `forward`. */
  forwardSliced?(): Promise<SlicedForward | NotSliced>;
  /** Throws a UserError where an op on the path from an attacked input to the loss has no derivative. */
  gradient(heads?: GradientHeads): Promise<GradientSession>;
  /** Frees the runtime's memory; the next question opens the sessions again. */
  release(): Promise<void>;
}

/** The sessions of a model under one choice of surrogates and twins. */
export function openSessions(model: Model, runtime: Runtime, options: SessionOptions = {}): ModelSessions {
  const logits = logitsName(model);
  const provider = providerOf(runtime);
  const graph = forwardGraph(model);
  const forwardForm =
    provider === 'cpu' && model.shapes !== undefined ? forCpu(graph, (name) => model.shapes?.get(name)?.dims) : graph;
  const batched = Object.entries(fedSpecs(model)).flatMap(([name, spec]) => (batchAxis(spec) === undefined ? [] : [name]));

  const openForward = async (): Promise<ForwardSession> => ({
    session: await runtime.open(forwardForm),
    logits,
    pairs: needsPairs(forwardForm, batched, model.shapes),
  });
  const own = new Set(namesOfNodes(graph));
  const openGradient = async (heads: GradientHeads): Promise<GradientSession> => {
    const {
      graph: joined,
      inputs,
      loss,
    } = withLoss(graph, {
      logits,
      classes: model.classes.length,
      ...(heads === 'ce' ? { heads: ['ce'] } : {}),
    });
    const wanted: GradientOptions = {
      of: [loss],
      wrt: attackedInputs(model),
      ...substitutesOf(model, options),
      provider,
    };
    const shapes =
      model.shapes === undefined || wanted.twins!.length > 0
        ? undefined
        : await extendShapes(joined, within(graph, model.shapes), runtime.execute);
    const made =
      shapes === undefined
        ? await gradient(joined, runtime.execute, wanted)
        : options.fedWeights
          ? await trainingGradient(joined, runtime.execute, { ...wanted, positions: fedPositions })
          : backward({ graph: joined, standIn: new Map() }, shapes, wanted);
    return {
      session: await runtime.open(made.graph),
      logits,
      pairs: needsPairs(made.graph, [...batched, ...Object.values(inputs), ...made.memories.map(({ input }) => input)], shapes),
      loss,
      lossInputs: inputs,
      gradients: made.gradients,
      unreached: made.unreached,
      // the loss heads choose classes by comparisons: no cuts of the model
      cuts: made.cuts.map((cut) => ({ ...cut, node: nameInTwin(cut.node) })).filter((cut) => own.has(cut.node)),
      substitutes: made.substitutes.map(({ label, at }) => ({ label, at: nameInTwin(at) })),
      memories: made.memories.map((memory) => perSample(memory, batched.length > 0)),
    };
  };

  const forward = lazily(openForward, closed);
  const sliced = lazily(async () => openSliced(model, forwardForm, runtime, await forward.get()), closeSliced);
  const gradients = { ce: lazily(() => openGradient('ce'), closed), all: lazily(() => openGradient('all'), closed) };
  return {
    model,
    forward: forward.get,
    forwardSliced: sliced.get,
    gradient: (heads = 'ce') => gradients[heads].get(),
    async release() {
      await sliced.release();
      await forward.release();
      await gradients.ce.release();
      await gradients.all.release();
    },
  };
}

/** Names of all nodes, those inside bodies included. */
const namesOfNodes = (graph: Graph): string[] => graph.nodes.flatMap((n) => [nodeName(n), ...bodiesOf(n).flatMap(namesOfNodes)]);

/** The provider graphs are written for: the first the runtime was asked for that has a form of its own. */
const providerOf = ({ options }: Runtime): Provider =>
  (['cpu', 'wasm', 'webgpu'] as const).find((name) => options.providers[0] === name) ?? 'cpu';

/** What stands in for derivatives: what was chosen, and what the model's own element types need. */
export const substitutesOf = (
  { floatCopy }: Pick<Model, 'floatCopy'>,
  { surrogates = [], twins = [] }: SessionOptions,
): Required<Pick<SessionOptions, 'surrogates' | 'twins'>> => ({
  surrogates: [...surrogates, ...(floatCopy?.surrogates ?? [])],
  twins: [...(floatCopy === undefined ? [] : [floatCopy.twin]), ...twins],
});

/** The model's graph with the logits as its only output. */
export function forwardGraph(model: Pick<Model, 'name' | 'graph' | 'output'>): Graph {
  const logits = logitsName(model);
  const output = model.graph.outputs.find((v) => v.name === logits);
  if (output === undefined) throw new Error(`${model.name}: the graph has no output "${logits}"`);
  return dropDead({ ...model.graph, outputs: [output] });
}

/** Of the shapes known, those of values the graph has: an output that was dropped may have had the name of a new input. */
function within(graph: Graph, shapes: ShapeTable): ShapeTable {
  const names = namesOf(graph);
  return new Map([...shapes].filter(([name]) => names.has(name)));
}

/** Without its batch axis, where the model has one. */
function perSample({ key, input, output, dims, batch, initial }: Memory, isBatched: boolean): SampleMemory {
  const layout = dims.map((_, axis) => (isBatched && axis === batch ? 'N' : 'C')).join('');
  const shape = dims.filter((_, axis) => layout[axis] !== 'N') as number[];
  return {
    key,
    input,
    output,
    spec: { shape, layout, dtype: 'float32' },
    initial: new Float32Array(sizeOf(shape)).fill(initial),
  };
}

const closed = ({ session }: ForwardSession): Promise<void> => session.release();

/** Opens once, on first use, and again after a release; a failed opening is not remembered. */
function lazily<T>(make: () => Promise<T>, close: (opened: T) => Promise<void>): { get(): Promise<T>; release(): Promise<void> } {
  let opened: Promise<T> | undefined;
  return {
    get() {
      opened ??= make().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    async release() {
      const current = opened;
      opened = undefined;
      const open = await current;
      if (open !== undefined) await close(open);
    },
  };
}
