/** @file The fixed curves: against the golden values, by their formulas at other parameters, over their area, and at moving thresholds. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Surrogate } from '../../../../src/core/autodiff/substitutes.ts';
import * as curves from '../../../../src/core/autodiff/surrogates/curves.ts';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { f32, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { type CurveCase, curvesCase } from '../../../oracles/spiking/cases.ts';

const runtime = createRuntime(ort);
const { curveSurrogate, widened } = curves;

/** Derivatives of [v >= threshold] by both sides, under a surrogate. */
async function slopes(
  v: readonly number[],
  surrogate: Surrogate,
  threshold = [0],
): Promise<{ v: number[]; threshold: number[] }> {
  const g = graphBuilder();
  g.input('v', ['N']);
  g.input('threshold', [threshold.length]);
  g.add({
    name: 'fire',
    op: 'GreaterOrEqual',
    domain: '',
    inputs: ['v', 'threshold'],
    outputs: ['fires'],
    attributes: new Map(),
  });
  g.output(g.op('Cast', ['fires'], { to: 1 }, 's'), ['N']);
  const evaluator = await compile(g.build(), { of: ['s'], wrt: ['v', 'threshold'], surrogates: [surrogate], runtime });
  const { grads } = await evaluator.run({ v: f32(v), threshold: f32(threshold) });
  await evaluator.release();
  return { v: numbersOf(grads.v!), threshold: numbersOf(grads.threshold!) };
}

const fire = { name: 'fire' };
const of = (curve: curves.Curve): Surrogate => curveSurrogate(fire, curve, 'curve');

function surrogateOf({ name, ...parameters }: CurveCase): Surrogate {
  const [value] = Object.values(parameters) as number[];
  if (name === 'straightThrough') return curves.straightThroughSpike(fire);
  const made = { ...curves, piecewiseExp: curves.piecewiseExponential }[name as 'atan'];
  return of(made(value));
}

describe('fixed curves', () => {
  const { u, curves: cases } = curvesCase();
  it.each(cases.filter((c) => c.surrogate.name !== 'pdsg').map((c) => [c.surrogate.name, c] as const))('%s', async (_name, c) => {
    const { v: found } = await slopes(u, surrogateOf(c.surrogate));
    const scale = Math.max(...c.g);
    for (const [i, g] of found.entries()) expect(Math.abs(g - c.g[i]!), `u = ${u[i]}`).toBeLessThan(2e-6 * scale);
  });

  const fine = Array.from({ length: 40001 }, (_, i) => (i - 20000) / 1000);
  const area = (values: readonly number[]): number => values.reduce((sum, g) => sum + g, 0) / 1000;
  it.each([
    ['sigmoid', curves.sigmoid(4)],
    ['triangle', curves.triangle(1)],
    ['rectangle', curves.rectangle(0.5)],
    ['erf', curves.erf(2)],
    ['gaussian', curves.gaussian(1)],
    ['piecewise exponential', curves.piecewiseExponential(2)],
  ])('%s has area 1 at every width, and is w times as wide and 1 / w as high', async (_name, curve) => {
    const plain = (await slopes(fine, of(curve))).v;
    expect(area(plain)).toBeCloseTo(1, 2);
    const wide = (await slopes(fine, of(widened(curve, 2)))).v;
    expect(area(wide)).toBeCloseTo(1, 2);
    for (const at of [-700, -200, 0, 300]) expect(2 * wide[20000 + 2 * at]!).toBeCloseTo(plain[20000 + at]!, 5);
  });

  it('the curves the fixtures lack', async () => {
    const points = [-1.5, -0.4, 0, 0.3, 2];
    const norse = (await slopes(points, of(curves.dampedTriangle(0.3)))).v;
    const erfc = (await slopes(points, of(curves.erfc(2)))).v;
    for (const [i, x] of points.entries()) {
      expect(norse[i]!).toBeCloseTo(0.3 * Math.max(0, 1 - Math.abs(x)), 6);
      expect(erfc[i]!).toBeCloseTo((2 / Math.sqrt(Math.PI)) * Math.exp(-((2 * x) ** 2)), 6);
    }
  });

  it('a threshold that moves gets the opposite, summed where it was broadcast', async () => {
    const { v, threshold } = await slopes([0.2, 0.9, 1.4], of(curves.atan(2)), [1]);
    expect(v[1]).toBeCloseTo(1 / (1 + (Math.PI * -0.1) ** 2), 5);
    expect(threshold[0]).toBeCloseTo(-(v[0]! + v[1]! + v[2]!), 5);
    expect((await slopes([0.2, 5], curves.straightThroughSpike(fire), [1])).threshold).toEqual([-2]);
  });
});
