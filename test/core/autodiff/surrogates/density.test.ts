/** @file The density of PDSG as wide and with the tails its options say: one step of neurons, whose derivative is the density itself. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type PdsgOptions, pdsgDefaults, pdsgRule } from '../../../../src/core/autodiff/surrogates/pdsg.ts';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { layerGraph } from '../../../oracles/spiking/graph.ts';

const runtime = createRuntime(ort);
const shape = [1, 3, 2, 4, 4];
const drawn = stream(3, 'densities');
const x = Array.from({ length: 96 }, () => Math.fround(0.6 + 0.8 * drawn.normal()));

async function slopes(options: Partial<PdsgOptions>): Promise<number[]> {
  const neuron = { tau: 2, decayInput: false, vThreshold: 1, vReset: 0, detachReset: false };
  const { graph, spiking } = layerGraph(neuron, shape);
  const [layer] = spiking.layers;
  const rule = pdsgRule(layer!, { ...pdsgDefaults, ...options });
  const surrogates = layer!.spikes.map(({ node }) => ({ match: { name: node }, label: 'PDSG', rule }));
  const evaluator = await compile(graph, { of: ['spikes'], wrt: ['x'], surrogates, runtime });
  const { grads } = await evaluator.run({ x: f32(x, shape) });
  await evaluator.release();
  return [...numbersOf(grads.x!)];
}

/** Deviation of the potentials around the i-th: its sample's and channel's 16. */
function deviation(i: number): number {
  const own = x.slice(16 * Math.floor(i / 16), 16 * Math.floor(i / 16) + 16);
  const mean = own.reduce((a, b) => a + b, 0) / 16;
  return Math.sqrt(own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 15);
}

const normal = (u: number, s: number) => Math.exp((-u * u) / (2 * s * s)) / (s * Math.sqrt(2 * Math.PI));
const cauchy = (u: number, s: number) => 1 / (Math.PI * s * (1 + (u / s) ** 2));

describe('the density of PDSG', () => {
  it.each([
    [{}, (u: number, sigma: number) => normal(u - 0.5 * sigma, sigma)],
    [{ width: 0.3 }, (u: number, sigma: number) => normal(u - 0.15 * sigma, 0.3 * sigma)],
    [{ width: 0.2, shift: 0, tails: 'cauchy' as const }, (u: number, sigma: number) => cauchy(u, 0.2 * sigma)],
    [{ width: 0.5, shift: 1, tails: 'cauchy' as const }, (u: number, sigma: number) => cauchy(u - 0.5 * sigma, 0.5 * sigma)],
  ])('%o', async (options, density) => {
    const found = await slopes(options);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(density(x[i]! - 1, deviation(i)), 4);
  });
});
