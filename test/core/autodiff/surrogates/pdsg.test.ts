/** @file What must hold of PDSG whatever the potentials: constants, shifts of potential and threshold, all steps in one comparison, moments of others. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type PdsgOptions, pdsgDefaults, pdsgRule } from '../../../../src/core/autodiff/surrogates/pdsg.ts';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import type { SpikingLayer } from '../../../../src/core/spikes/layer.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { curvesCase } from '../../../oracles/spiking/cases.ts';

const runtime = createRuntime(ort);

type Shape = readonly [steps: number, batch: number, ...rest: number[]];

interface Asked {
  readonly options?: Partial<PdsgOptions>;
  readonly threshold?: number;
  /** Thresholds of the steps after the first, which the graph computes, as that of an adaptive neuron. */
  readonly later?: readonly number[];
  /** One comparison of [N, T, C, ...] instead of one per step. */
  readonly atOnce?: boolean;
}

/** g of potentials [T, N, C, ...] that are fed in, all steps of one layer: the gradient of the summed spikes. */
async function slopes(
  shape: Shape,
  potentials: readonly number[],
  { options = {}, threshold = 1, later, atOnce = false }: Asked,
) {
  const [steps, , ...rest] = shape;
  const g = graphBuilder();
  const x = g.input('x', [steps, 'N', ...rest]);
  const limit = g.constant(f32([threshold], []));
  const nothing = g.op('Mul', [g.op('ReduceMean', [x], { keepdims: 0 }), g.number(0)]);
  const fire = (value: string, name: string, level = limit): string => {
    g.add({ name, op: 'GreaterOrEqual', domain: '', inputs: [value, level], outputs: [`${name}_fires`], attributes: new Map() });
    return g.op('Cast', [`${name}_fires`], { to: 1 });
  };
  const swapped = [1, 0, ...rest.map((_, i) => i + 2)];
  const parts = steps === 1 ? [x] : g.ops('Split', [x], steps, { axis: 0, num_outputs: steps });
  const fired = atOnce
    ? [g.op('Transpose', [fire(g.op('Transpose', [x], { perm: swapped }), 'all')], { perm: swapped })]
    : parts.map((part, t) => {
        const level = t > 0 && later !== undefined ? g.op('Add', [nothing, g.number(later[t - 1]!)]) : limit;
        return g.op('Unsqueeze', [fire(g.op('Squeeze', [part, g.ints([0])]), `step${t}`, level), g.ints([0])]);
      });
  g.output(g.op('Concat', fired, { axis: 0 }, 'spikes'), [steps, 'N', ...rest]);
  const layer: SpikingLayer = {
    name: 'layer',
    spikes: atOnce
      ? [{ node: 'all', step: 0, role: 'output' }]
      : parts.map((_, t) => ({ node: `step${t}`, step: t, role: 'output' as const })),
    steps,
    threshold: later === undefined ? threshold : 'adaptive',
    strict: false,
    reset: 'none',
    axes: atOnce ? { batch: 0, time: 1, channel: 2 } : { batch: 0, channel: 1 },
    outputs: fired,
  };
  const rule = pdsgRule(layer, { ...pdsgDefaults, ...options });
  const surrogates = layer.spikes.map(({ node }) => ({ match: { name: node }, label: 'PDSG', rule }));
  const evaluator = await compile(g.build(), { of: ['spikes'], wrt: ['x'], surrogates, runtime });
  const { grads } = await evaluator.run({ x: f32(potentials, shape) });
  await evaluator.release();
  return numbersOf(grads.x!);
}

/** The curve itself, in float64. */
const density = (u: number, sigma: number, shift = 0.5): number =>
  Math.exp(-((u - shift * sigma) ** 2) / (2 * sigma ** 2)) / (sigma * Math.sqrt(2 * Math.PI));

const some = (count: number, ...key: string[]): number[] => {
  const random = stream('pdsg test', ...key);
  return Array.from({ length: count }, () => random.normal());
};

function expectNear(found: readonly number[], expected: readonly number[], relative = 1e-5): void {
  expect(found).toHaveLength(expected.length);
  const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const off = found.findIndex((v, i) => !(Math.abs(v - expected[i]!) <= relative * scale));
  expect(off, `${found[off]} for ${expected[off]}`).toBe(-1);
}

describe('PDSG', () => {
  it.each([
    [0.3, 1, [1, 2, 1, 64, 64]],
    [0.3, 1, [4, 1, 3, 7, 7]],
    [100, 100, [2, 2, 2, 128, 128]],
    [-7.77, 0, [3, 2, 5]],
  ] as const)('potentials that are all %d have no deviation: sigma is 1, threshold %d, %j', async (value, threshold, shape) => {
    const size = shape.reduce<number>((a, b) => a * b, 1);
    for (const statistics of ['sample', 'batch'] as const) {
      const found = await slopes(shape as Shape, new Array(size).fill(value), { threshold, options: { statistics } });
      expectNear(found, new Array(size).fill(density(Math.fround(value) - threshold, 1)));
    }
  });

  it('the golden curves: a reference set of so many potentials that it alone decides sigma', async () => {
    const { u, curves } = curvesCase();
    for (const { surrogate, g } of curves.filter((c) => c.surrogate.name === 'pdsg')) {
      const count = 1e12;
      const deviations = Float64Array.of(Number(surrogate.sigma) ** 2 * count);
      const reference = [{ count, mean: Float64Array.of(0), deviations }];
      const options = { statistics: 'reference-set', shift: Number(surrogate.shift), reference } as const;
      expectNear(await slopes([1, u.length, 1], u, { threshold: 0, options }), g);
    }
  });

  it('potentials and threshold moved together change nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: -8, max: 8 }), async (seed, by) => {
        const shape = [3, 2, 2, 3, 3] as const;
        const v = some(108, 'moved', `${seed}`).map((x) => Math.round(x * 64) / 64);
        const before = await slopes(shape, v, { threshold: 1 });
        expectNear(
          await slopes(
            shape,
            v.map((x) => x + by),
            { threshold: 1 + by },
          ),
          before,
          2e-5,
        );
      }),
      { numRuns: 4 },
    );
  });

  it('potentials k times as large give a curve k times as wide', async () => {
    const v = some(108, 'scaled');
    const before = await slopes([3, 2, 2, 3, 3], v, { threshold: 1 });
    const after = await slopes(
      [3, 2, 2, 3, 3],
      v.map((x) => 4 * x),
      { threshold: 4 },
    );
    expectNear(
      after.map((g) => 4 * g),
      before,
    );
  });

  it('sigma by hand: of the channel, of the layer, of all steps so far, of the step alone', async () => {
    const shape = [3, 2, 2, 2, 2] as const;
    const v = some(48, 'by hand');
    const std = (values: readonly number[]): number => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
    };
    const at = v.map((_, i) => ({ t: Math.floor(i / 16), n: Math.floor(i / 8) % 2, c: Math.floor(i / 4) % 2 }));
    for (const per of ['channel', 'layer'] as const)
      for (const over of ['cumulative', 'current'] as const)
        for (const statistics of ['sample', 'batch'] as const)
          for (const shift of per === 'layer' ? [0] : [0.25]) {
            const expected = v.map((value, i) => {
              const own = at[i]!;
              const meant = v.filter((_, k) => {
                const other = at[k]!;
                const inTime = over === 'current' ? other.t === own.t : other.t <= own.t;
                return inTime && (per === 'layer' || other.c === own.c) && (statistics === 'batch' || other.n === own.n);
              });
              return density(value - 1, std(meant), shift);
            });
            expectNear(await slopes(shape, v, { options: { per, over, statistics, shift } }), expected);
          }
  });

  it('a threshold that is fixed at first and computed later on: sigma and centre are those of what is above the threshold', async () => {
    const [threshold, later] = [1, [3, 5]];
    const v = some(54, 'rising');
    const u = v.map((value, i) => value - [threshold, ...later][Math.floor(i / 18)]!);
    const shape = [3, 1, 2, 3, 3] as const;
    const same = await slopes(shape, u, { threshold: 0 });
    expectNear(await slopes(shape, v, { threshold, later }), same);
    const reference = Array.from({ length: 3 }, () => ({
      count: 50,
      mean: Float64Array.of(-2, -3),
      deviations: Float64Array.of(40, 90),
    }));
    const options = { statistics: 'reference-set', reference } as const;
    expectNear(await slopes(shape, v, { threshold, later, options }), await slopes(shape, u, { threshold: 0, options }));
  });

  it.each([
    [[4, 3, 2, 3, 3], 'sample'],
    [[4, 3, 2, 3, 3], 'batch'],
    [[4, 3, 5], 'sample'],
    [[4, 3, 5], 'batch'],
  ] as const)('one comparison of all steps is the same as one per step: %j, %s', async (shape, statistics) => {
    const v = some(
      shape.reduce<number>((a, b) => a * b, 1),
      'at once',
      statistics,
    );
    const each = await slopes(shape as Shape, v, { options: { statistics } });
    expectNear(await slopes(shape as Shape, v, { options: { statistics }, atOnce: true }), each);
  });

  it('a sample has the same bits wherever it stands in a batch', async () => {
    const [steps, size] = [2, 3 * 5 * 5];
    const one = some(size, 'bits');
    const others = some(6 * size, 'others');
    const alone = await slopes([steps, 1, 3, 5, 5], [...one, ...one], {});
    for (let place = 0; place < 7; place++) {
      const batch = [...others.slice(0, place * size), ...one, ...others.slice(place * size)];
      const found = await slopes([steps, 7, 3, 5, 5], [...batch, ...batch], {});
      const mine = Array.from({ length: steps }, (_, t) => found.slice((t * 7 + place) * size, (t * 7 + place + 1) * size));
      expect(mine.flat(), `place ${place}`).toEqual(alone);
    }
  });
});
