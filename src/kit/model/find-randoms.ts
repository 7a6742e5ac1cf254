/** @file Random numbers a model draws, made inputs that the oracle feeds; what cannot be is said. */
import type { Dim, Graph } from '../../core/onnx/graph.ts';
import { type RandomInput, randomInputs } from '../../core/onnx/passes/random-inputs.ts';
import type { Execute } from '../../core/onnx/passes/shapes.ts';
import type { RandomSpec } from './model.ts';

export interface FoundRandoms {
  readonly graph: Graph;
  readonly randoms: Readonly<Record<string, RandomSpec>>;
  readonly said: readonly string[];
}

/** Lowers the random nodes of a prepared graph (passes/random-inputs.ts); `batch` is the batch axis as its inputs write it. */
export async function findRandoms(graph: Graph, execute: Execute, batch: Dim): Promise<FoundRandoms> {
  const { graph: lowered, randoms, left } = await randomInputs(graph, execute, batch);
  const [first, ...others] = randoms;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return {
    graph: lowered,
    randoms: Object.fromEntries(randoms.map((random) => [random.name, specOf(random)])),
    said: [
      ...(first === undefined
        ? []
        : [
            `the model draws random numbers, at ${first.node}${more}: they are fed from streams of the seed and the sample, anew for every question, so results can be repeated`,
          ]),
      ...left.map((node) => `${node}: its random numbers are drawn by the runtime, and results cannot be repeated`),
    ],
  };
}

const letters = [...'ABCDEFGHIJ'];

function specOf({ kind, dims, node }: RandomInput): RandomSpec {
  const layout = dims.map((d, axis) => (d === null ? 'N' : letters[axis]!)).join('');
  return { kind, shape: dims.filter((d) => d !== null), layout, dtype: 'float32', node };
}
