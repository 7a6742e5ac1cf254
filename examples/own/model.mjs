/** A model of one's own: the weights of a linear classifier, kept as JSON by whatever trained it, written as an ONNX graph. */
import { readFile } from 'node:fs/promises';
import { f32, graphBuilder, writeModel } from 'provoke/core';

export default async () => {
  const { classes, mean, deviation, weights, intercepts } = JSON.parse(
    await readFile(new URL('weights.json', import.meta.url), 'utf8'),
  );
  const n = mean.length;
  const g = graphBuilder({ name: 'calm-or-stressed' });
  const features = g.input('features', ['N', n]);
  const centred = g.op('Sub', [features, g.constant(f32(mean, [1, n]))]);
  const scaled = g.op('Div', [centred, g.constant(f32(deviation, [1, n]))]);
  const logits = g.op('Gemm', [scaled, g.constant(f32(weights.flat(), [n, classes.length])), g.constant(f32(intercepts))]);
  g.output(logits, ['N', classes.length]);
  return {
    onnx: writeModel(g.build()),
    manifest: {
      classes,
      inputs: { features: { modality: 'physiology', unit: 'see the header of recordings.csv', bounds: 'unbounded' } },
      output: { kind: 'logits' },
    },
  };
};
