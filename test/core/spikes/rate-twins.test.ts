import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Twin } from '../../../src/core/autodiff/substitutes.ts';
import { compile } from '../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import {
  averagedOverTime,
  backwardThroughRate,
  copiedActivation,
  heldFixed,
  type LayerRule,
  layerTwin,
  rateGradient,
} from '../../../src/core/spikes/rate-twins.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { type Block, networkGraph } from '../../oracles/spiking/graph.ts';

const runtime = createRuntime(ort);
const [T, widths] = [4, [3, 6, 5, 2]] as const;
const neuron = { tau: 2, decayInput: false, vThreshold: 1, vReset: 0, detachReset: false };

const drawn = stream(7, 'rate twins');
const weights = widths.slice(1).map((rows, i): Block => {
  const columns = widths[i]!;
  return { shape: [rows, columns], data: Array.from({ length: rows * columns }, () => 1.4 * drawn.normal() + 0.15) };
});
const x = Array.from({ length: T * widths[0] }, () => Math.fround(drawn.uniform()));

const made = networkGraph({
  T,
  inputShape: [T, 1, widths[0]],
  layers: weights.flatMap((weight, i) => [
    { op: 'linear' as const, weight, bias: null },
    ...(i < weights.length - 1 ? [{ op: 'lif' as const, neuron }] : []),
  ]),
});

const times = ({ shape: [rows, columns], data }: Block, v: readonly number[]): number[] =>
  Array.from({ length: rows! }, (_, r) => v.reduce((sum, value, c) => sum + data[r * columns! + c]! * value, 0));
const transposed = ({ shape: [rows, columns], data }: Block): Block => ({
  shape: [columns!, rows!],
  data: Array.from({ length: rows! * columns! }, (_, k) => data[(k % rows!) * columns! + Math.floor(k / rows!)]!),
});

interface Course {
  /** [layer][t][neuron] */
  readonly currents: number[][][];
  readonly above: number[][][];
  readonly spikes: number[][][];
}

function course(): Course {
  const seen: Course = { currents: [], above: [], spikes: [] };
  let values = Array.from({ length: T }, (_, t) => x.slice(t * widths[0], (t + 1) * widths[0]));
  for (const weight of weights.slice(0, -1)) {
    const currents = values.map((v) => times(weight, v));
    let v = currents[0]!.map(() => 0);
    const [above, spikes]: number[][][] = [[], []];
    for (const current of currents) {
      v = v.map((value, i) => value / 2 + current[i]!);
      above!.push(v.map((value) => value - 1));
      spikes!.push(v.map((value) => Number(value >= 1)));
      v = v.map((value) => (value >= 1 ? 0 : value));
    }
    seen.currents.push(currents);
    seen.above.push(above!);
    seen.spikes.push(spikes!);
    values = spikes!;
  }
  return seen;
}

/** d(sum of the mean logits)/dx by hand, `back` giving a layer's dL/dI from its dL/ds. */
function byHand(back: (ds: number[][], layer: number, seen: Course) => number[][]): number[] {
  const seen = course();
  const ones = [1, 1];
  let d = Array.from({ length: T }, () => times(transposed(weights[2]!), ones).map((value) => value / T));
  for (const layer of [1, 0]) d = back(d, layer, seen).map((row) => times(transposed(weights[layer]!), row));
  return d.flat();
}

const meanOver = (rows: readonly (readonly number[])[]): number[] =>
  rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);

const rules: [string, LayerRule, Parameters<typeof byHand>[0]][] = [
  [
    'backward through the rate',
    backwardThroughRate,
    (ds, l, { spikes }) => ds.map((row) => row.map((d, i) => (spikes[l]!.some((s) => s[i] === 1) ? d : 0))),
  ],
  [
    'the rate gradient',
    rateGradient({ retention: 0.5, floor: 0.2, threshold: 1 }),
    (ds, l, { currents }) => {
      const slope = meanOver(currents[l]!).map((m) =>
        m >= 0.5 && m <= 2 ? (1 - 0.2 + 0.1) / 1.5 : m >= 0 && m <= 0.5 ? 0.2 : 0,
      );
      return ds.map((row) => row.map((d, i) => d * slope[i]!));
    },
  ],
  [
    'the rate gradient with currents in units of a threshold of 2',
    rateGradient({ retention: 0.5, floor: 0.2, threshold: 2 }),
    (ds, l, { currents }) => {
      const slope = meanOver(currents[l]!).map((m) => (m >= 1 && m <= 4 ? 0.9 / 1.5 : m >= 0 && m <= 1 ? 0.2 : 0));
      return ds.map((row) => row.map((d, i) => (d * slope[i]!) / 2));
    },
  ],
  [
    'the activation of the copied net',
    copiedActivation('clip', 1),
    (ds, l, { currents }) => {
      const m = meanOver(currents[l]!);
      const mean = meanOver(ds);
      return ds.map((row) => row.map((_, i) => (m[i]! > 0 && m[i]! < 1 ? mean[i]! : 0)));
    },
  ],
  [
    'a triangle and the gradient averaged over time',
    averagedOverTime(0.8),
    (ds, l, { above }) => {
      const mean = meanOver(ds);
      return above[l]!.map((row) => row.map((u, i) => (Math.max(0, 0.8 - Math.abs(u)) / 0.64) * mean[i]!));
    },
  ],
];

const gradientWith = async (twins: readonly Twin[]) => {
  const evaluator = await compile(made.graph, { of: ['logits'], wrt: ['x'], twins, surrogates: [heldFixed], runtime });
  const { of, grads } = await evaluator.run({ x: f32(x, [T, 1, widths[0]]) });
  const { substitutes } = evaluator;
  await evaluator.release();
  return { logits: numbersOf(of.logits!), gradient: [...numbersOf(grads.x!)], substitutes };
};

describe('rate-based twins', () => {
  it.each(rules)('%s is the published rule, layer by layer', async (label, rule, back) => {
    const twins = made.spiking.layers.map((layer) => layerTwin(made.graph, layer, label, rule));
    const { gradient, substitutes, logits } = await gradientWith(twins);
    const expected = byHand(back);
    expect(expected.some((value) => value !== 0)).toBe(true);
    for (const [i, value] of gradient.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
    expect(substitutes.map((s) => s.label)).toContain(label);
    // the forward pass is that of the spikes
    const rates = meanOver(course().spikes[1]!);
    for (const [i, value] of times(weights[2]!, rates).entries()) expect(logits[i]).toBeCloseTo(value, 5);
  });

  it('one layer may have a twin while another keeps the derivative of its comparisons', async () => {
    const [first] = made.spiking.layers;
    const { gradient } = await gradientWith([layerTwin(made.graph, first!, 'rate', backwardThroughRate)]);
    // nothing passes the second layer, whose comparisons have no derivative
    expect(gradient.every((value) => value === 0)).toBe(true);
  });

  it('what a current is multiplied by when it is added multiplies its derivative', async () => {
    const [first, second] = made.spiking.layers;
    const scaled = { ...first!, gains: first!.currents!.map(() => 0.5) };
    const twin = (layer: typeof scaled) => layerTwin(made.graph, layer, 'rate', backwardThroughRate);
    const whole = await gradientWith(
      made.spiking.layers.map((layer) => layerTwin(made.graph, layer, 'rate', backwardThroughRate)),
    );
    const half = await gradientWith([twin(scaled), layerTwin(made.graph, second!, 'rate', backwardThroughRate)]);
    expect(whole.gradient.some((v) => v !== 0)).toBe(true);
    for (const [i, value] of half.gradient.entries()) expect(value).toBeCloseTo(whole.gradient[i]! / 2, 6);
  });

  it('refuses a layer whose currents are not known, and one that feeds back on itself', async () => {
    const [first, second] = made.spiking.layers;
    const { currents: _, ...unknown } = first!;
    expect(() => layerTwin(made.graph, unknown, 'rate', backwardThroughRate)).toThrow(/"lif0" cannot be told apart/);
    // the first current of the first layer in place of the second's last: the second then comes before itself
    const circle = layerTwin(
      made.graph,
      { ...first!, currents: [...first!.currents!.slice(0, -1), second!.outputs[0]!] },
      'rate',
      averagedOverTime(0.8),
    );
    await expect(gradientWith([circle])).rejects.toThrow(/feeds back on what a twin stands for/);
  });
});
