import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../../../../src/core/runtime/runtime.ts';
import { inputSignal, type Layer, openNet } from '../../../../../src/kit/nn/net.ts';

export const runtime = createRuntime(ort, { threads: 1 });

/** A layer alone, under the scope `cells`: x [N, ...shape] to y; with the inputs it draws from. */
export function layerGraph(layer: Layer, shape: readonly number[], mode: 'training' | 'inference' = 'training') {
  const { net, written } = openNet({ mode, seed: 0 });
  const y = layer(net.within('cells'), inputSignal(net, 'x', shape));
  const { builder, noise } = written();
  builder.output(builder.op('Identity', [y.name], {}, 'y'), ['N', ...y.shape]);
  return { graph: builder.build(), shape: y.shape, noise };
}
