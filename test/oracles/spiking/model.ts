/** @file A network of test/fixtures/spiking as a model to attack, its spikes described by hand. */
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import type { Inputs, Model } from '../../../src/kit/model/model.ts';
import type { NetworkCase } from './cases.ts';
import { networkGraph } from './graph.ts';

export async function spikingModel(c: NetworkCase, { execute }: Runtime): Promise<Model> {
  const { graph, spiking } = networkGraph(c);
  const prepared = await prepare(graph, execute);
  const direct = c.encoding === 'direct';
  const [steps, , ...rest] = c.inputShape as [number, number, ...number[]];
  const shape = direct ? c.inputShape.slice(1) : [steps, ...rest];
  return {
    name: c.name,
    graph: prepared,
    inputs: {
      x: {
        shape,
        layout: `${direct ? 'N' : 'TN'}${'CHW'.slice(0, direct ? shape.length : rest.length)}`,
        dtype: 'float32',
        modality: 'features',
        unit: 'current',
        role: 'attacked',
        domain: 'continuous',
        bounds: 'unbounded',
        storage: 'float32',
      },
    },
    classes: c.expected.logits[0]!.map((_, k) => `class ${k}`),
    output: { name: 'logits', kind: 'logits' },
    coupling: 'none',
    shapes: await inferShapes(prepared, execute),
    spiking,
    inferred: [],
    sha256: '',
  };
}

/** The samples of a case, one by one. */
export function samplesOf(c: NetworkCase): Inputs[] {
  const { B, T, input, encoding } = c;
  const size = input.length / B / (encoding === 'direct' ? 1 : T);
  return Array.from({ length: B }, (_, b) => {
    if (encoding === 'direct') return { x: Float32Array.from(input.slice(b * size, (b + 1) * size)) };
    const steps = Array.from({ length: T }, (__, t) => input.slice((t * B + b) * size, (t * B + b + 1) * size));
    return { x: Float32Array.from(steps.flat()) };
  });
}
