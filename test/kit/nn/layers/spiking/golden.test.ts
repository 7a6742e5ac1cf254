/** The layer cases of the spiking fixtures: membranes' spikes, and gradients under the fixture's surrogate, PDSG's with its recorded deviations. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Surrogate } from '../../../../../src/core/autodiff/substitutes.ts';
import { atan, curveSurrogate, triangle } from '../../../../../src/core/autodiff/surrogates/curves.ts';
import { compile } from '../../../../../src/core/runtime/compile.ts';
import { f32, type Tensor } from '../../../../../src/core/tensor/tensor.ts';
import { neuron } from '../../../../../src/kit/nn/layers/spiking/neuron.ts';
import { spikes } from '../../../../../src/kit/nn/layers/spiking/spike.ts';
import { layerGraph, runtime } from './graph-of.ts';

interface Case {
  readonly layout: 'TBF' | 'TBCHW';
  readonly shape: readonly [number, number, number, ...number[]];
  readonly neuron: {
    readonly tau: number;
    readonly decayInput: boolean;
    readonly vThreshold: number;
    readonly vReset: number | null;
    readonly detachReset: boolean;
  };
  readonly surrogate: { readonly name: string; readonly alpha?: number; readonly gamma?: number; readonly shift?: number };
  readonly input: readonly number[];
  readonly cotangent: readonly number[];
  readonly expected: {
    readonly spikes: readonly number[];
    readonly sigma: readonly (readonly number[])[] | null;
    readonly gradInput: readonly number[];
  };
}

const folder = new URL('../../../../fixtures/spiking/', import.meta.url);
const names = readdirSync(folder).filter((name) => /^layer-.*\.json$/.test(name));
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Case;

/** [T, B, ...] to [B, T, ...], or back: the two axes exchanged. */
function exchanged(values: readonly number[], [a, b]: readonly [number, number], rest: number): number[] {
  const out = new Array<number>(values.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++) for (let k = 0; k < rest; k++) out[(j * a + i) * rest + k] = values[(i * b + j) * rest + k]!;
  return out;
}

/** exp(-(u - shift sigma)^2 / (2 sigma^2)) / (sigma sqrt(2 pi)), sigma of the comparison's own step. */
const pdsgOf = (sigma: readonly (readonly number[])[], shift: number, places: number): Surrogate => ({
  match: spikes,
  label: 'recorded',
  rule: {
    broadcasting: ([ds], node, scene) => {
      const { g } = scene;
      const step = Number(/_(\d+)$/.exec(node.name)![1]);
      const s = g.constant(f32(sigma[step]!, [1, 1, sigma[step]!.length, ...Array<number>(places).fill(1)]));
      const u = g.op('Sub', [node.inputs[0]!, node.inputs[1]!]);
      const z = g.op('Div', [g.op('Sub', [u, g.op('Mul', [s, g.number(shift)])]), s]);
      const bell = g.op('Exp', [g.op('Mul', [g.op('Mul', [z, z]), g.number(-0.5)])]);
      return [g.op('Mul', [ds!, g.op('Div', [bell, g.op('Mul', [s, g.number(Math.sqrt(2 * Math.PI))])])])];
    },
  },
});

function surrogateOf({ surrogate, expected, shape }: Case): Surrogate {
  if (surrogate.name === 'atan') return curveSurrogate(spikes, atan(surrogate.alpha), 'atan');
  if (surrogate.name === 'triangle') return curveSurrogate(spikes, triangle(surrogate.gamma), 'triangle');
  return pdsgOf(expected.sigma!, surrogate.shift!, shape.length - 3);
}

describe('golden layers', () => {
  it('are there', () => expect(names.length).toBe(12));

  it.each(names)('%s', async (name) => {
    const golden = read(name);
    const [T, B, ...rest] = golden.shape;
    const size = rest.reduce((a, b) => a * b, 1);
    const { tau, decayInput, vThreshold, vReset, detachReset } = golden.neuron;
    const layer = neuron({
      tau,
      decayInput,
      threshold: vThreshold,
      reset: vReset === null ? 'soft' : 'hard',
      rest: vReset ?? 0,
      resetGradient: detachReset ? 'detach' : 'through',
    });
    const dims = [B, T, ...rest];
    const tensor = (values: readonly number[]) => f32(exchanged(values, [T, B], size), dims);
    const evaluator = await compile(layerGraph(layer, [T, ...rest]).graph, {
      of: ['y'],
      wrt: ['x'],
      cotangents: true,
      runtime,
      surrogates: [surrogateOf(golden)],
    });
    const { of, grads } = await evaluator.run({ x: tensor(golden.input), cotangent_y: tensor(golden.cotangent) });
    await evaluator.release();
    const back = (t: Tensor) => exchanged([...(t.data as Float32Array)], [B, T], size);
    expect(back(of.y!)).toEqual(golden.expected.spikes);
    const largest = Math.max(...golden.expected.gradInput.map(Math.abs));
    for (const [i, g] of back(grads.x!).entries())
      expect(Math.abs(g - golden.expected.gradInput[i]!)).toBeLessThanOrEqual(1e-5 * largest + 1e-6);
  });
});
