/** @file The spiking neurons of a model that is being opened, tried on a few inputs within its bounds, and what is said of them. */
import { UserError } from '../../core/errors.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import { asking } from '../../core/onnx/passes/asking.ts';
import { type Execute, inferShapes, type ShapeTable } from '../../core/onnx/passes/shapes.ts';
import type { Spiking, SpikingLayer } from '../../core/spikes/layer.ts';
import { spikesInLoops } from '../../core/spikes/loops.ts';
import { recognise } from '../../core/spikes/recognise.ts';
import type { StatedSpikes } from '../../core/spikes/stated.ts';
import { packChunk } from './batches.ts';
import { drawn } from './find-coupling.ts';
import type { Model } from './model.ts';

export interface Found {
  readonly graph: Graph;
  readonly shapes: ShapeTable;
  readonly spiking?: Spiking;
  readonly said: readonly string[];
}

/** How many samples the spikes are tried on. */
const probes = 4;

/** The model's graph with its spikes in the plain form, and what was found; the very same graph where there are none. */
export async function findSpikes(
  model: Pick<Model, 'name' | 'graph' | 'inputs' | 'randoms' | 'fixedBatch'>,
  shapes: ShapeTable,
  stated: StatedSpikes | undefined,
  execute: Execute,
): Promise<Found> {
  const batch = model.fixedBatch ?? probes;
  const found = await recognise(model.graph, {
    shapes,
    execute,
    probes: () => {
      const samples = Array.from({ length: batch }, (_, n) => drawn(model, `spikes ${n}`));
      return packChunk(model, samples, { start: 0, count: batch, size: batch });
    },
    randoms: Object.keys(model.randoms ?? {}),
    ...(stated === undefined ? {} : { stated }),
  });
  if (found === undefined) {
    const loops = stated?.none === true ? [] : spikesInLoops(model.graph);
    return {
      graph: model.graph,
      shapes,
      said: loops.map(
        (loop) => `the loop ${loop} holds spiking neurons, and the data decide how often it turns: they were not taken apart`,
      ),
    };
  }
  return {
    graph: found.graph,
    shapes: await inferShapes(found.graph, asking(execute)),
    spiking: found.spiking,
    said: [sentence(found.spiking.layers), ...found.spiking.said],
  };
}

/** The spikes of a model that `what` is to stand in for. Throws a UserError that says why there are none. */
export function spikesOf(model: Pick<Model, 'name' | 'graph' | 'spiking'>, what: string): Spiking {
  if (model.spiking !== undefined && model.spiking.layers.length > 0) return model.spiking;
  const [loop] = spikesInLoops(model.graph);
  if (loop !== undefined)
    throw new UserError(
      `spikes: ${what} is to stand in for spikes; those of ${model.name} are inside the loop ${loop}, and the data decide how often it turns`,
      'export the model for a fixed number of steps',
    );
  throw new UserError(
    `spikes: ${what} is to stand in for spikes, and ${model.name} has none that were recognised`,
    'leave spikes out; or, where it has some, name their comparisons in the manifest (spikes: { layers: [...] }; provoke inspect lists what cuts the gradient)',
  );
}

/** "6 spiking layers over 4 steps, threshold 1, hard reset; ...", layers that are alike counted together. */
function sentence(layers: readonly SpikingLayer[]): string {
  const kinds = new Map<string, number>();
  for (const layer of layers) kinds.set(kind(layer), (kinds.get(kind(layer)) ?? 0) + 1);
  const parts = [...kinds].map(([text, n]) => `${n} spiking layer${n === 1 ? '' : 's'} over ${text}`);
  return `spikes: ${parts.join('; ')}`;
}

const kind = ({ steps, threshold, strict, reset }: SpikingLayer): string =>
  `${steps} step${steps === 1 ? '' : 's'}, ${thresholdText(threshold)} (fires ${strict ? 'above' : 'at or above'} it), ${resetText[reset]}`;

const thresholdText = (threshold: SpikingLayer['threshold']): string =>
  threshold === 'adaptive'
    ? 'adaptive threshold'
    : `threshold ${typeof threshold === 'number' ? Number(threshold.toPrecision(6)) : 'per channel'}`;

const resetText = { hard: 'hard reset', soft: 'soft reset', none: 'no reset', unknown: 'another reset' } as const;
