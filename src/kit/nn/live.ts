/** @file A network in training as a model that oracles can ask: its weights are fed with every run, so an attack always meets the current ones. */
import type { Graph } from '../../core/onnx/graph.ts';
import { plainBodies } from '../../core/onnx/passes/control-flow/plain-bodies.ts';
import { foldFedBatchNorm } from '../../core/onnx/passes/fold-fed-batch-norm.ts';
import { prepare } from '../../core/onnx/passes/prepare.ts';
import { inferShapes } from '../../core/onnx/passes/shapes.ts';
import type { Feeds, Runtime } from '../../core/runtime/runtime.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { type ForwardSession, type GradientSession, type ModelSessions, openSessions } from '../model/sessions.ts';
import { type Architecture, buildNetwork } from './architecture.ts';
import { asInputs } from './as-inputs.ts';
import { randomsOf } from './draws.ts';
import type { Mode, NoiseInput } from './net.ts';

export interface LiveOptions {
  /** training: batch statistics, and dropout fed from `weights()`; a sample's result then depends on its batch mates. */
  readonly mode?: Mode;
}

export const liveDefaults: Required<LiveOptions> = { mode: 'inference' };

export interface LiveSessions extends ModelSessions {
  /** Random inputs that `weights()` has to return too, `[N, ...shape]`; none in inference mode, where the oracle feeds what the network draws. */
  readonly noise: readonly NoiseInput[];
}

/**
 * The sessions of a network whose parameters and statistics are what `weights()` returns at the moment of each run, by name (Trainer.weights); in training
 * mode also the network's random inputs. Nothing is opened again when weights change.
 */
export async function liveSessions(
  architecture: Architecture,
  runtime: Runtime,
  weights: () => Readonly<Record<string, Tensor>>,
  options: LiveOptions = {},
): Promise<LiveSessions> {
  const { mode } = { ...liveDefaults, ...options };
  const network = buildNetwork(architecture, { mode, seed: 0 });
  const fed = asInputs(network.graph, [...network.parameters, ...network.statistics.keys()]);
  const plain = plainBodies(await prepare(fed, runtime.execute));
  const graph = foldFedBatchNorm(plain, await inferShapes(plain, runtime.execute));
  const drawing = mode === 'inference' && network.noise.length > 0;
  const sessions = openSessions(
    {
      name: architecture.name,
      graph,
      inputs: architecture.inputs,
      classes: architecture.classes,
      output: { name: network.logits, kind: 'logits' },
      ...(drawing ? { randoms: randomsOf(network.noise) } : {}),
      coupling: mode === 'training' ? 'batch' : 'none',
      shapes: await inferShapes(graph, runtime.execute),
      inferred: [],
      sha256: '',
    },
    withState(runtime, weights),
    { fedWeights: true, ...(architecture.surrogates === undefined ? {} : { surrogates: architecture.surrogates }) },
  );
  return {
    ...sessions,
    noise: drawing ? [] : network.noise,
    forward: () => sessions.forward().then(paired),
    gradient: (heads) => sessions.gradient(heads).then(paired),
  };
}

/** Fed weights are multiplied by other kernels where the batch is 1, in recurrent nodes as in products: such a batch is always padded. */
const paired = <S extends ForwardSession | GradientSession>(session: S): S => ({ ...session, pairs: true });

/** A runtime whose sessions get from `state()`, at every run, the inputs that are not fed otherwise. */
function withState(runtime: Runtime, state: () => Feeds): Runtime {
  return {
    ...runtime,
    async open(graph: Graph | Uint8Array) {
      const session = await runtime.open(graph);
      return {
        ...session,
        run(feeds, fetch) {
          const held = state();
          const missing = session.inputs.filter((name) => feeds[name] === undefined && held[name] !== undefined);
          return session.run({ ...Object.fromEntries(missing.map((name) => [name, held[name]!])), ...feeds }, fetch);
        },
      };
    },
  };
}
