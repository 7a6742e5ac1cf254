/** @file Statistics of the potentials of clean samples: the forward graph with its potentials as outputs, summed up in float64. */
import { graphBuilder } from '../../core/onnx/builder.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { Spiking, SpikingLayer } from '../../core/spikes/layer.ts';
import { stream } from '../../core/tensor/random.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { chunks, packChunk } from '../model/batches.ts';
import { drawsOf } from '../model/draws.ts';
import type { Inputs, Model, Sample } from '../model/model.ts';
import { addBlock, addMoments, type Tally, tally } from './known-moments.ts';
import type { ReferenceStatistics, StepStatistics } from './spike-gradient.ts';

/** Samples per run. */
const together = 8;

/**
 * What the potentials above threshold of these samples come to, per layer, channel and step (cumulated from step 0). The same samples give the same
 * numbers. A model that draws random numbers draws once per sample.
 */
export async function referenceStatistics(
  model: Model,
  spiking: Spiking,
  samples: readonly Sample[],
  runtime: Runtime,
): Promise<ReferenceStatistics> {
  const { graph, potentials } = exposed(model.graph, spiking);
  const session = await runtime.open(graph);
  const tallies = new Map<string, Tally[]>();
  try {
    const inputs = samples.map((sample): Inputs => ({ ...sample.inputs, ...drawsFor(model, sample.id) }));
    for (const chunk of chunks({ ...model, coupling: 'none' }, inputs, { maxBatch: together, pairs: false })) {
      const feeds = packChunk(model, inputs, chunk);
      const read = Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!]));
      const results = await session.run(read);
      for (const { layer, step, name } of potentials) addTo(tallies, layer, step, results[name]!, chunk.count);
    }
  } finally {
    await session.release();
  }
  return {
    samples: samples.map(({ id }) => id),
    layers: new Map([...tallies].map(([name, steps]) => [name, cumulated(steps)])),
  };
}

const drawsFor = ({ randoms }: Model, id: string): Inputs =>
  randoms === undefined ? {} : drawsOf(randoms, stream('reference-set', id), 0);

interface Potential {
  readonly layer: SpikingLayer;
  /** Undefined where one value holds all steps. */
  readonly step: number | undefined;
  readonly name: string;
}

/** The graph that computes how far every potential is above its threshold, once per layer and step. */
function exposed(graph: Graph, { layers }: Spiking): { graph: Graph; potentials: Potential[] } {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const g = graphBuilder({ from: { ...graph, outputs: [] } });
  const potentials: Potential[] = [];
  for (const layer of layers) {
    const seen = new Set<number>();
    for (const { node, step } of layer.spikes) {
      const inputs = nodes.get(node)?.inputs;
      if (inputs === undefined || seen.has(step)) continue;
      seen.add(step);
      const name = g.op('Cast', [g.op('Sub', inputs)], { to: 1 }, g.fresh('above_threshold'));
      g.untypedOutput(name);
      potentials.push({ layer, step: layer.axes.time === undefined ? step : undefined, name });
    }
  }
  const built = dropDead(g.build());
  return { graph: built, potentials };
}

/** Adds the first `count` samples of a run, block by block of values that lie side by side. */
function addTo(
  tallies: Map<string, Tally[]>,
  { name, axes, steps }: SpikingLayer,
  step: number | undefined,
  { dims, data }: Tensor,
  count: number,
): void {
  const { batch, channel, time } = axes;
  const last = Math.max(batch, channel, time ?? 0);
  const block = dims.slice(last + 1).reduce((size, d) => size * d, 1);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((size, d) => size * d, 1));
  const place = (at: number, axis: number): number => Math.floor(at / strides[axis]!) % dims[axis]!;
  const own = tallies.get(name) ?? Array.from({ length: steps }, () => tally(dims[channel]!));
  tallies.set(name, own);
  const values = data as Float32Array;
  for (let at = 0; at < values.length; at += block) {
    if (place(at, batch) >= count) continue;
    const moment = step ?? place(at, time!);
    addBlock(own[moment]!, place(at, channel), values, at, at + block);
  }
}

/** Each step with all before it. */
function cumulated(steps: readonly Tally[]): StepStatistics[] {
  const all = tally(steps[0]!.mean.length);
  return steps.map(({ count, mean, deviations }) => {
    for (const [c, n] of count.entries()) if (n > 0) addMoments(all, c, n, mean[c]!, deviations[c]!);
    return { count: all.count[0]!, mean: all.mean.slice(), deviations: all.deviations.slice() };
  });
}
