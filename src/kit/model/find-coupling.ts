/** @file Whether the samples of a batch influence each other, found by exchanging a sample's neighbours, and by what decides the course of control flow. */
import { describeNode, feedsOf, type Graph } from '../../core/onnx/graph.ts';
import { drivenByData } from '../../core/onnx/passes/control-flow/data-driven.ts';
import type { Execute } from '../../core/onnx/passes/shapes.ts';
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { packChunk } from './batches.ts';
import { drawOf } from './draws.ts';
import { fedSpecs, type InputSpec, type Inputs, type Model, type RandomSpec } from './model.ts';

export interface Coupling {
  readonly coupling: Model['coupling'];
  readonly said: readonly string[];
}

/** How far a sample's logits may move, relative to the largest of them, when its neighbours change: more than rounding does. */
const tolerance = 1e-4;

/**
 * Runs a sample beside copies of itself, and beside others. Copies that are judged differently: the graph draws random numbers (or reads positions);
 * a judgement that changes with the neighbours: the batch is coupled. Values that are not finite are left out. A batch fixed at 1 has no neighbours.
 * An If or Loop whose condition depends on the samples couples them whatever the numbers show: which neighbours change its course cannot be guessed.
 */
export async function findCoupling(
  model: Pick<Model, 'name' | 'graph' | 'inputs' | 'randoms' | 'fixedBatch'>,
  logits: string,
  execute: Execute,
): Promise<Coupling> {
  const batch = model.fixedBatch ?? 2;
  if (batch === 1) return { coupling: 'none', said: [] };
  const driven = drivenByBatch(model);
  if (driven.coupling === 'batch') return driven;
  const outputs = model.graph.outputs.filter((v) => v.name === logits);
  const rows = async (key: (n: number) => string): Promise<number[][]> => {
    const samples = Array.from({ length: batch }, (_, n) => drawn(model, key(n)));
    const feeds = packChunk(model, samples, { start: 0, count: batch, size: batch });
    const results = await execute({ ...model.graph, outputs }, feeds);
    return rowsOf(results[logits]!, batch);
  };
  const copies = await rows(() => 'sample');
  const others = await rows((n) => (n === 0 ? 'sample' : `neighbour ${n}`));
  const isRandom = copies.some((row) => !agree(row, copies[0]!));
  const isCoupled = !agree(copies[0]!, others[0]!);
  return {
    coupling: isCoupled ? 'batch' : 'none',
    said: [
      ...(isRandom
        ? ['copies of a sample in one batch are judged differently: the model draws random numbers, or reads positions']
        : []),
      ...(isCoupled
        ? ['a sample is judged differently beside other samples: the batch is coupled and runs in fixed groups']
        : []),
    ],
  };
}

/** The coupling that control flow makes by itself, without a run. */
export function drivenByBatch(model: Pick<Model, 'graph' | 'inputs' | 'randoms' | 'fixedBatch'>): Coupling {
  const batched = Object.entries(fedSpecs(model)).flatMap(([name, { layout }]) => (layout.includes('N') ? [name] : []));
  const [first] = model.fixedBatch === 1 ? [] : drivenByData(model.graph, batched);
  if (first === undefined) return { coupling: 'none', said: [] };
  return {
    coupling: 'batch',
    said: [
      `the course of ${describeNode(first)} depends on what the samples of a batch hold: the batch is coupled and runs in fixed groups`,
    ],
  };
}

/** Random values within the bounds for float inputs, zeros (a safe index) for the others; the same for all where the input is shared. */
export function drawn(model: Pick<Model, 'inputs' | 'randoms'> & { graph: Graph }, key: string): Inputs {
  const specs = fedSpecs(model);
  return Object.fromEntries(
    feedsOf(model.graph).map(({ name }) => {
      const spec = specs[name]!;
      const random: Stream = stream('coupling', name, spec.layout.includes('N') ? key : 'shared');
      const size = spec.shape.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length: size }, () => (spec.dtype === 'float32' ? within(spec, random) : 0))];
    }),
  );
}

function within(spec: InputSpec | RandomSpec, random: Stream): number {
  if ('kind' in spec) return drawOf(spec.kind, random);
  const { bounds } = spec;
  if (bounds === 'unbounded') return random.normal();
  const [low, high] = [bounds.lower, bounds.upper].map((end) => (typeof end === 'number' ? end : end[0]!)) as [number, number];
  return low + (high - low) * random.uniform();
}

function rowsOf(logits: Tensor, batch: number): number[][] {
  const data = logits.data as Float32Array;
  const width = data.length / batch;
  return Array.from({ length: batch }, (_, n) => Array.from(data.subarray(n * width, (n + 1) * width)));
}

function agree(a: readonly number[], b: readonly number[]): boolean {
  const finite = a.flatMap((v, i) => (Number.isFinite(v) && Number.isFinite(b[i]) ? [i] : []));
  const largest = Math.max(0, ...finite.map((i) => Math.abs(a[i]!)));
  return finite.every((i) => Math.abs(a[i]! - b[i]!) <= tolerance * Math.max(largest, Number.MIN_VALUE));
}
