/** @file Fixed surrogates and PDSG against the golden layers and networks of test/fixtures/spiking (README there: equations, provenance, tolerances). */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Surrogate } from '../../../../src/core/autodiff/substitutes.ts';
import { atan, curveSurrogate, triangle } from '../../../../src/core/autodiff/surrogates/curves.ts';
import { type PdsgOptions, pdsgDefaults, pdsgRule } from '../../../../src/core/autodiff/surrogates/pdsg.ts';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import type { Spiking } from '../../../../src/core/spikes/layer.ts';
import { f32, numbersOf, tensor } from '../../../../src/core/tensor/tensor.ts';
import { type CurveCase, casesOf, type NetworkCase } from '../../../oracles/spiking/cases.ts';
import { layerGraph, networkGraph } from '../../../oracles/spiking/graph.ts';

const runtime = createRuntime(ort);
type Float = 'float32' | 'float64';

const tensorOf = (dtype: Float, dims: readonly number[], values: readonly number[]) =>
  dtype === 'float32' ? f32(values, dims) : tensor('float64', dims, Float64Array.from(values));

const pdsg = (spiking: Spiking, options: Partial<PdsgOptions> = {}, detach = false): Surrogate[] =>
  spiking.layers.flatMap((layer) => {
    const rule = pdsgRule(layer, { ...pdsgDefaults, ...options });
    const meant = layer.spikes.filter(({ role }) => !(detach && role === 'reset'));
    return meant.map(({ node }) => ({ match: { name: node }, label: 'PDSG', rule }));
  });

function surrogatesOf(spiking: Spiking, of: CurveCase, detach: boolean): Surrogate[] {
  if (of.name === 'pdsg') return pdsg(spiking, { statistics: 'batch', shift: Number(of.shift) }, detach);
  const curve = of.name === 'atan' ? atan(Number(of.alpha)) : triangle(Number(of.gamma));
  return spiking.layers.flatMap(({ spikes }) => spikes.map(({ node }) => curveSurrogate({ name: node }, curve, of.name)));
}

/** The README's tolerance of gradients: of their largest element in float32, absolute in float64. */
function expectGradient(found: readonly number[], expected: readonly number[], dtype: Float): void {
  const scale = Math.max(...expected.map(Math.abs));
  const tolerance = dtype === 'float32' ? 1e-5 * scale + 1e-6 : 1e-10;
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!), `element ${i}`).toBeLessThanOrEqual(tolerance);
}

const expectClose = (found: readonly number[], expected: readonly number[], tolerance: number): void => {
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!), `element ${i}`).toBeLessThanOrEqual(tolerance);
};

describe.each(['float32', 'float64'] as const)('golden layers in %s', (dtype) => {
  it.each(casesOf('layer').map((c) => [c.name, c] as const))('%s', async (_name, c) => {
    const { graph, spiking } = layerGraph(c.neuron, c.shape, dtype);
    const evaluator = await compile(graph, {
      of: ['spikes', 'membrane'],
      wrt: ['x'],
      cotangents: true,
      surrogates: surrogatesOf(spiking, c.surrogate, c.neuron.detachReset),
      runtime,
    });
    const { of, grads } = await evaluator.run({
      x: tensorOf(dtype, c.shape, c.input),
      cotangent_spikes: tensorOf(dtype, c.shape, c.cotangent),
      cotangent_membrane: tensorOf(
        dtype,
        c.shape,
        c.input.map(() => 0),
      ),
    });
    await evaluator.release();
    expect(numbersOf(of.spikes!)).toEqual(c.expected.spikes);
    expectClose(numbersOf(of.membrane!), c.expected.membrane, dtype === 'float32' ? 1e-5 : 1e-12);
    expectGradient(numbersOf(grads.x!), c.expected.gradInput, dtype);
  });
});

/** dL/dlogits of the mean over the batch. */
function slopes({ loss, labels, expected }: NetworkCase): number[] {
  return expected.logits.flatMap((z, b) => {
    const label = labels[b]!;
    if (loss.name === 'crossEntropy') {
      const total = z.reduce((sum, v) => sum + Math.exp(v), 0);
      return z.map((v, k) => (Math.exp(v) / total - (k === label ? 1 : 0)) / labels.length);
    }
    const other = z.reduce((best, v, k) => (k !== label && (best === label || v > z[best]!) ? k : best), label);
    const active = z[label]! > z[other]!;
    return z.map((_, k) => (active ? (k === label ? 1 : k === other ? -1 : 0) : 0) / labels.length);
  });
}

const isDense = ({ layers }: NetworkCase) => layers.every(({ op }) => op === 'linear' || op === 'lif');
const networks = casesOf('network').flatMap((c) =>
  // the runtime has no float64 convolution
  (isDense(c) ? (['float32', 'float64'] as const) : (['float32'] as const)).map((dtype) => [c.name, dtype, c] as const),
);

describe('golden networks', () => {
  it.each(networks)('%s in %s', async (_name, dtype, c) => {
    const { graph, spiking } = networkGraph(c, dtype);
    const outputs = spiking.layers.flatMap((layer) => [...layer.outputs]);
    const fired = await compile(graph, { of: outputs, runtime });
    const evaluator = await compile(graph, {
      of: ['logits'],
      wrt: ['x'],
      cotangents: true,
      surrogates: surrogatesOf(spiking, c.surrogate, false),
      runtime,
    });
    const x = tensorOf(dtype, c.inputShape, c.input);
    const spikes = (await fired.run({ x })).of;
    const counts = spiking.layers.map((layer) =>
      layer.outputs.map((name) => numbersOf(spikes[name]!).reduce((sum, s) => sum + s, 0)),
    );
    expect(counts).toEqual(c.expected.spikeCounts);
    const logits = c.expected.logits;
    const { of, grads } = await evaluator.run({
      x,
      cotangent_logits: tensorOf(dtype, [logits.length, logits[0]!.length], slopes(c)),
    });
    expectClose(numbersOf(of.logits!), logits.flat(), dtype === 'float32' ? 1e-5 : 1e-12);
    const gradient = numbersOf(grads.x!);
    expectGradient(gradient, c.expected.gradInput, dtype);
    const { fgsm } = c.expected;
    if (fgsm !== undefined)
      expectClose(
        gradient.map((g, i) => Math.min(1, Math.max(0, c.input[i]! + fgsm.eps * Math.sign(g)))),
        fgsm.adversarial,
        1e-6,
      );
    await evaluator.release();
    await fired.release();
  });
});
