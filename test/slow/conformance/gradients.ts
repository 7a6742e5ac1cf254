/** @file The gradient graph of a test model, at the stored inputs, against finite differences of the float64 interpreter. */

import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { feedsOf, type Graph } from '../../../src/core/onnx/graph.ts';
import { foldSizesAndConstants, prepare } from '../../../src/core/onnx/passes/prepare.ts';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { numbersOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { type F64, fromTensor } from '../../oracles/interpreter/types.ts';
import { differentiable, noDerivative } from './exceptions.ts';
import { alongDirections } from './finite-differences.ts';
import { excluded, type Outcome, right, wrong } from './outcome.ts';
import type { Opened } from './stages.ts';
import { numbersDiffer } from './values.ts';

/** Of |g| |v|, as for whole nets. */
const allowed = 1e-5;

export interface GradientAnswer {
  readonly outcome: Outcome;
  /** Largest error of a directional derivative, where one was measured. */
  readonly error?: number;
}

const isFloat = (t: Tensor): boolean => t.dtype === 'float32' || t.dtype === 'float64';

/** Inputs that are no numbers to differentiate by (sizes, axes, indices, masks) become constants, as they are in exported models. */
function bound(graph: Graph, feeds: Readonly<Record<string, Tensor>>, wrt: readonly string[]): Graph {
  const constants = Object.entries(feeds).filter(([name]) => !wrt.includes(name));
  return { ...graph, initializers: new Map([...graph.initializers, ...constants]) };
}

/** With respect to every float input at once, of every float output; whatever is thrown on the way is a disagreement. */
export async function gradientStage(opened: Opened, runtime: Runtime): Promise<GradientAnswer> {
  try {
    return await differentiate(opened, runtime);
  } catch (error) {
    return { outcome: wrong(`gradient: ${(error as Error).message.split('\n')[0]}`) };
  }
}

async function differentiate({ stored, graph, feeds, expected }: Opened, runtime: Runtime): Promise<GradientAnswer> {
  const wrt = Object.keys(feeds).filter((name) => isFloat(feeds[name]!) && differentiable(graph, name));
  const of = [...expected].filter(([, t]) => isFloat(t)).map(([name]) => name);
  const half = [...Object.values(feeds), ...expected.values()].some((t) => t.dtype === 'float16');
  if (half) return { outcome: excluded('compute in float16') };
  if (wrt.length === 0 || of.length === 0) return { outcome: excluded('have no float input or no float output') };
  const listed = noDerivative(stored.name);
  if (listed !== undefined) return { outcome: excluded(listed) };
  const values = [...Object.values(feeds), ...expected.values()].filter(isFloat);
  if (values.some((t) => numbersOf(t).some((v) => !Number.isFinite(v)))) return { outcome: excluded('have infinite values') };
  if (values.every((t) => t.data.length === 0)) return { outcome: excluded('are empty') };

  // sizes are those of the file: the interpreter holds integers as float64 and knows no integer division
  const prepared = await foldSizesAndConstants(await prepare(bound(graph, feeds, wrt), runtime.execute), runtime.execute, {
    fixed: true,
  });
  const kept = new Set(feedsOf(prepared).map((v) => v.name));
  const asked = Object.fromEntries(Object.entries(feeds).filter(([name]) => kept.has(name)));
  const point: Record<string, F64> = Object.fromEntries(Object.entries(asked).map(([name, t]) => [name, fromTensor(t)]));
  const reference = interpret(prepared, point);
  for (const name of of) {
    const why = numbersDiffer(reference.get(name)!.data, numbersOf(expected.get(name)!));
    if (why !== undefined) return { outcome: wrong(`the interpreter's output "${name}": ${why}`) };
  }
  const random = stream('conformance', stored.name);
  const cotangents = Object.fromEntries(of.map((name) => [name, weights(expected.get(name)!, random.normal)]));
  const made = await gradient(prepared, runtime.execute, { of, wrt, cotangents: true });
  const weighted = Object.fromEntries(of.map((name) => [`cotangent_${name}`, cotangents[name]!]));
  const results = await runtime.execute(made.graph, { ...asked, ...weighted });
  const gradients = Object.fromEntries(wrt.map((name) => [name, numbersOf(results[made.gradients[name]!]!)]));
  const claim = {
    feeds: point,
    cotangents: Object.fromEntries(of.map((name) => [name, numbersOf(cotangents[name]!)])),
    gradients,
  };
  const { error, kink } = alongDirections(prepared, claim, random);
  if (kink) return { outcome: excluded('lie at a kink, a step or a tie') };
  if (!(error <= allowed))
    return { outcome: wrong(`gradient: a directional derivative is off by ${error.toExponential(1)}`), error };
  return { outcome: right, error };
}

/** Standard normal weights of an output. */
function weights(like: Tensor, normal: () => number): Tensor {
  const values = Array.from({ length: like.data.length }, normal);
  return like.dtype === 'float64'
    ? tensor('float64', like.dims, Float64Array.from(values))
    : tensor('float32', like.dims, Float32Array.from(values));
}
