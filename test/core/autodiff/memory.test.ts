/** @file What a gradient graph carries from run to run, on one spiking neuron whose derivative is known in closed form. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import type { Surrogate } from '../../../src/core/autodiff/substitutes.ts';
import { assgDefaults, assgRule } from '../../../src/core/autodiff/surrogates/assg.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { SpikingLayer } from '../../../src/core/spikes/layer.ts';
import { f32, numbersOf, tensor } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);
const threshold = 0.5;

type Float = 'float32' | 'float64';

const layer: SpikingLayer = {
  name: 'neuron',
  spikes: [{ node: 'fires', step: 0, role: 'output' }],
  steps: 1,
  threshold,
  strict: false,
  reset: 'none',
  axes: { batch: 0, channel: 1 },
  outputs: ['spike'],
};
const assg: Surrogate = { match: { op: 'GreaterOrEqual' }, label: 'ASSG', rule: assgRule(layer, assgDefaults) };

/** [potential >= threshold] as a number. */
function fires(g: GraphBuilder, potential: string, dtype: Float = 'float32'): string {
  const at = g.constant(dtype === 'float32' ? f32([threshold], []) : tensor('float64', [], Float64Array.of(threshold)));
  return g.op('Cast', [g.op('GreaterOrEqual', [potential, at])], { to: dtype === 'float32' ? 1 : 11 });
}

function neuron(dims: readonly Dim[], dtype: Float = 'float32', write = fires): Graph {
  const g = graphBuilder({ name: 'neuron' });
  g.input('x', dims, dtype);
  g.output(g.op('Mul', [write(g, 'x', dtype), 'x'], {}, 'y'), dims, dtype);
  return g.build();
}

const differentiated = (graph: Graph) => gradient(graph, runtime.execute, { of: ['y'], wrt: ['x'], surrogates: [assg] });

/** d(s x)/dx = s + x g(u), run after run of the same u. */
function stated(x: number, runs: number): number[] {
  let [M, D] = [1, 0];
  const u = x - threshold;
  return Array.from({ length: runs }, () => {
    M = 0.9 * M + 0.1 * Math.abs(u);
    D = 0.9 * D + 0.1 * Math.abs(Math.abs(u) - M);
    const alpha = (2 * Math.tan((Math.PI * 0.85) / 2)) / Math.PI / (M + 1.5 * D + 1e-4);
    return +(u >= 0) + (x * alpha) / 2 / (1 + ((Math.PI * alpha * u) / 2) ** 2);
  });
}

describe.each(['float32', 'float64'] as const)('in %s', (dtype) => {
  it('a gradient goes on from what the run before left', async () => {
    const { graph, gradients, memories } = await differentiated(neuron(['N', 3], dtype));
    expect(memories.map(({ initial, dims, batch }) => ({ initial, dims, batch }))).toEqual([
      { initial: 1, dims: [null, 3], batch: 0 },
      { initial: 0, dims: [null, 3], batch: 0 },
    ]);
    const session = await runtime.open(graph);
    const x = [0.1, 0.5, 0.9, -2, 0.45, 7];
    let held = Object.fromEntries(memories.map(({ input, initial }) => [input, f32(new Array(6).fill(initial), [2, 3])]));
    for (let run = 0; run < 5; run++) {
      const fed = dtype === 'float32' ? f32(x, [2, 3]) : tensor('float64', [2, 3], Float64Array.from(x));
      const results = await session.run({ x: fed, ...held });
      // what is carried is float32 either way
      const tolerance = dtype === 'float64' && run === 0 ? 1e-12 : 2e-6;
      [...numbersOf(results[gradients.x!]!)].forEach((value, i) => {
        const expected = stated(dtype === 'float32' ? Math.fround(x[i]!) : x[i]!, 5)[run]!;
        expect(Math.abs(value - expected), `run ${run}, element ${i}`).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));
      });
      held = Object.fromEntries(memories.map(({ input, output }) => [input, results[output] as ReturnType<typeof f32>]));
    }
    await session.release();
  });
});

it('two comparisons of the same values share one memory, others have their own, under names that do not depend on the rest', async () => {
  const twice = (g: GraphBuilder, x: string): string => {
    const at = g.constant(f32([threshold], []), 'at');
    const spike = (v: string): string => g.op('Cast', [g.op('GreaterOrEqual', [v, 'at'])], { to: 1 });
    const half = g.op('Mul', [x, at], {}, 'half');
    return g.op('Add', [g.op('Add', [spike(x), spike(x)]), spike(half)]);
  };
  const { memories, substitutes } = await differentiated(neuron(['N', 3], 'float32', twice));
  expect(substitutes).toHaveLength(3);
  expect(memories.map(({ key }) => key).sort()).toEqual([
    'mean of half over at',
    'mean of x over at',
    'spread of half over at',
    'spread of x over at',
  ]);
  expect(new Set(memories.flatMap(({ input, output }) => [input, output])).size).toBe(8);
});

describe('is refused where a run does not tell what the next will be', () => {
  it('for sizes known only when the model runs', async () => {
    const ranged = (g: GraphBuilder, x: string): string => {
      // as many columns as there are samples
      const rows = g.op('Slice', [g.op('Shape', [x]), g.ints([0]), g.ints([1])]);
      const wide = g.op('Expand', [
        g.op('ReduceSum', [x, g.ints([1])], { keepdims: 1 }),
        g.op('Concat', [rows, rows], { axis: 0 }),
      ]);
      return g.op('ReduceSum', [fires(g, wide), g.ints([1])], { keepdims: 1 });
    };
    await expect(differentiated(neuron(['N', 3], 'float32', ranged))).rejects.toThrow(/axis 1 is known only when the model runs/);
  });

  it('for what lies inside a body', async () => {
    const chosen = (g: GraphBuilder, x: string): string => {
      const positive = g.op('Greater', [g.op('ReduceMax', [x], { keepdims: 0 }), g.constant(f32([0], []))]);
      const branch = (write: (b: GraphBuilder) => string) => {
        const b = g.body('branch');
        b.untypedOutput(write(b));
        return { type: 'graph' as const, value: { ...b.build(), opsets: new Map() } };
      };
      return g.op('If', [positive], {
        then_branch: branch((b) => fires(b, x)),
        else_branch: branch((b) => b.op('Neg', [x])),
      });
    };
    await expect(differentiated(neuron([2, 3], 'float32', chosen))).rejects.toThrow('lies inside a Loop, a Scan or an If');
  });
});
