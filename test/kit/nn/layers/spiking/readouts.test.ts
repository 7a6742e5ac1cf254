import { describe, expect, it } from 'vitest';
import { f32 } from '../../../../../src/core/tensor/tensor.ts';
import { integrator, type ReadoutKind, readout } from '../../../../../src/kit/nn/layers/spiking/readouts.ts';
import { beforeSum, thresholdNorm } from '../../../../../src/kit/nn/layers/spiking/threshold-norm.ts';
import { layerGraph, runtime } from './graph-of.ts';

const spikes = [
  [1, 0],
  [0, 1],
  [1, 1],
];
const weight = [
  [0.5, 0.25],
  [-1, 2],
];
const bias = [0.125, -0.5];
/** W s + b at each step. */
const scores = spikes.map((s) => weight.map((row, c) => row[0]! * s[0]! + row[1]! * s[1]! + bias[c]!));
const perClass = (of: (series: number[]) => number): number[] => [0, 1].map((c) => of(scores.map((z) => z[c]!)));

/** v <- v / 2 + z, tau 2. */
function potentials(series: number[]): number[] {
  let v = 0;
  return series.map((z) => {
    v = v / 2 + z;
    return v;
  });
}

/** Spikes of hard-reset neurons with tau 2 and decayed input. */
function counted(series: number[]): number {
  let [v, count] = [0, 0];
  for (const z of series) {
    v += (z - v) / 2;
    if (v < 0.25) continue;
    count++;
    v = 0;
  }
  return count;
}

describe('readouts', () => {
  it.each<[ReadoutKind, number[]]>([
    ['rate', perClass((z) => z.reduce((a, b) => a + b, 0) / 3)],
    ['last', scores[2]!],
    ['membrane-mean', perClass((z) => potentials(z).reduce((a, b) => a + b, 0) / 3)],
    ['membrane-max', perClass((z) => Math.max(...potentials(z)))],
    ['count', perClass(counted)],
  ])('%s', async (kind, expected) => {
    const { graph } = layerGraph(readout(kind, 2, { tau: 2, threshold: 0.25 }), [3, 2]);
    const initializers = new Map(graph.initializers);
    initializers.set('cells.head.weight', f32(weight.flat(), [2, 2]));
    initializers.set('cells.head.bias', f32(bias, [2]));
    const { y } = await runtime.execute({ ...graph, initializers }, { x: f32(spikes.flat(), [1, 3, 2]) });
    expect(y!.dims).toEqual([1, 2]);
    for (const [c, value] of expected.entries()) expect((y!.data as Float32Array)[c]).toBeCloseTo(value, 6);
  });

  it('an integrator never fires', async () => {
    const { y } = await runtime.execute(layerGraph(integrator(4), [3, 1]).graph, { x: f32([8, 8, -4], [1, 3, 1]) });
    expect([...(y!.data as Float32Array)]).toEqual([8, 14, 6.5]);
  });
});

describe('threshold-dependent normalisation', () => {
  it.each([1, beforeSum])(
    'is alpha V (x - mean) / sqrt(variance + eps) over samples, moments and places; alpha %f',
    async (alpha) => {
      const [samples, channels, places] = [6, 2, 4];
      const x = Array.from({ length: samples * channels * places }, (_, i) => Math.sin(3 * i) + (i % 5));
      const { graph } = layerGraph(thresholdNorm(0.5, alpha), [channels, places]);
      const { y } = await runtime.execute(graph, { x: f32(x, [samples, channels, places]) });
      for (let c = 0; c < channels; c++) {
        const at = Array.from(
          { length: samples * places },
          (_, i) => (Math.floor(i / places) * channels + c) * places + (i % places),
        );
        const mean = at.reduce((sum, i) => sum + x[i]!, 0) / at.length;
        const variance = at.reduce((sum, i) => sum + (x[i]! - mean) ** 2, 0) / at.length;
        for (const i of at)
          expect((y!.data as Float32Array)[i]).toBeCloseTo((alpha * 0.5 * (x[i]! - mean)) / Math.sqrt(variance + 1e-5), 5);
      }
    },
  );
});
