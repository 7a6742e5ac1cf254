/** A net that reads its input step by step, cut in time: the slices one after the other compute the bits of the whole. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../../src/core/onnx/graph.ts';
import { inferShapes } from '../../../../../src/core/onnx/passes/shapes.ts';
import { sliceTime, type TimeSlice } from '../../../../../src/core/onnx/passes/time/slices.ts';
import { createRuntime } from '../../../../../src/core/runtime/runtime.ts';
import { f32, sizeOf, type Tensor } from '../../../../../src/core/tensor/tensor.ts';
import { packRows, stepsOf } from '../../../../../src/kit/model/time/rows.ts';
import { clip, frame, layoutOf, type SpikingNet, spikingNet } from './nets.ts';

const runtime = createRuntime(ort, { threads: 1 });

async function cut(graph: Graph, starts: readonly number[], timeAxis: number, worthwhile = 0.2) {
  const shapes = await inferShapes(graph, runtime.execute);
  return sliceTime(graph, shapes, { name: 'x', timeAxis, output: 'logits', starts, worthwhile });
}

const reasonOf = async (graph: Graph, starts = [0, 2], timeAxis = 1): Promise<string> => {
  const sliced = await cut(graph, starts, timeAxis);
  return 'reason' in sliced ? sliced.reason : 'sliced';
};

/** Runs the slices one after the other for all samples. */
async function runSlices(
  slices: readonly TimeSlice[],
  clips: readonly Float32Array[],
  steps: number,
  layout: string,
): Promise<Tensor> {
  const batchAxis = layout.indexOf('N');
  let held: Record<string, Tensor> = {};
  for (const { graph, steps: range, takes } of slices) {
    const length = range[1] - range[0];
    const shape = [length, ...frame];
    const parts = clips.map((values) => stepsOf(values, [steps, ...frame], 0, range));
    const x = packRows(parts, shape, batchAxis, new Float32Array(clips.length * sizeOf(shape)));
    const session = await runtime.open(graph);
    held = { ...held, ...(await session.run({ x, ...Object.fromEntries(takes.map(({ name }) => [name, held[name]!])) })) };
    await session.release();
  }
  return held.logits!;
}

const nets = fc.record({
  form: fc.constantFrom('folded', 'unrolled', 'time first', 'recurrent'),
  steps: fc.integer({ min: 2, max: 7 }),
  width: fc.integer({ min: 1, max: 8 }),
  reset: fc.constantFrom('hard', 'soft'),
}) satisfies fc.Arbitrary<SpikingNet>;

describe('slices of time', () => {
  it('compute the same bits as the whole, whatever the form, the width, the steps and the cuts', async () => {
    const differing = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        nets,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
        async (net, batch, ends) => {
          const inner = Array.from({ length: net.steps - 1 }, (_, t) => t + 1).filter((t) => ends[t]);
          const starts = [0, ...(inner.length === 0 ? [1] : inner)];
          const graph = spikingNet(net);
          const sliced = await cut(graph, starts, layoutOf(net).indexOf('T'), 0);
          if ('reason' in sliced) throw new Error(sliced.reason);
          expect(sliced.slices.map((s) => s.steps)).toEqual(starts.map((start, i) => [start, starts[i + 1] ?? net.steps]));
          const clips = Array.from({ length: batch + 1 }, (_, n) => clip(`${net.form} ${n}`, net.steps));
          const x = packRows(
            clips,
            [net.steps, ...frame],
            layoutOf(net).indexOf('N'),
            new Float32Array(clips.length * clips[0]!.length),
          );
          const whole = await runtime.open(graph);
          const want = (await whole.run({ x })).logits!;
          await whole.release();
          expect((await runSlices(sliced.slices, clips, net.steps, layoutOf(net))).data).toEqual(want.data);
          for (const row of [0, 1]) differing.add(`${(want.data as Float32Array).slice(3 * row, 3 * row + 3)}`);
        },
      ),
      { numRuns: 20, seed: 1 },
    );
    // the nets fire, and tell clips apart
    expect(differing.size).toBeGreaterThan(10);
  });

  it('hand on one potential per layer, and what the rates are made of', async () => {
    const sliced = await cut(spikingNet({ form: 'unrolled', steps: 6, width: 4, reset: 'soft' }), [0, 2, 4], 1);
    if ('reason' in sliced) throw new Error(sliced.reason);
    expect(sliced.slices.map(({ takes, gives }) => [takes.length, gives.length])).toEqual([
      [0, 3],
      [3, 3],
      [3, 0],
    ]);
    expect(sliced.slices.reduce((sum, { work }) => sum + work, 0)).toBeCloseTo(1);
    expect(sliced.slices[0]!.work).toBeCloseTo(1 / 3, 1);
  });

  it('cut constants that have a value of their own for every step, and take sizes from the batch of the run', async () => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 4, 3]);
    const scale = g.constant(f32([1, 2, 4, 8], [1, 4, 1]));
    const steps = g.ops('Split', [g.op('Mul', [x, scale])], 4, { axis: 1, num_outputs: 4 });
    const batch = g.op('Shape', [x], { end: -2 });
    let state = g.op('ConstantOfShape', [g.op('Concat', [batch, g.ints([1, 3])], { axis: 0 })]);
    for (const step of steps) state = g.op('Add', [g.op('Mul', [state, g.number(0.5)]), step]);
    g.op('Squeeze', [state, g.ints([1])], {}, 'logits');
    g.output('logits', ['N', 3]);
    const sliced = await cut(g.build(), [0, 1, 3], 1);
    if ('reason' in sliced) throw new Error(sliced.reason);
    const state0 = Object.values(await runtime.execute(sliced.slices[0]!.graph, { x: f32([1, 2, 3], [1, 1, 3]) }))[0]!;
    const [second] = sliced.slices[1]!.takes;
    const next = await runtime.execute(sliced.slices[1]!.graph, {
      x: f32([1, 1, 1, 1, 1, 1], [1, 2, 3]),
      [second!.name]: state0,
    });
    const [third] = sliced.slices[2]!.takes;
    const last = await runtime.execute(sliced.slices[2]!.graph, {
      x: f32([0, 0, 0], [1, 1, 3]),
      [third!.name]: Object.values(next)[0]!,
    });
    // ((x0 / 2 + 2) / 2 + 4) / 2, from the state 0
    expect([...(last.logits!.data as Float32Array)]).toEqual([1, 2, 3].map((v) => ((v / 2 + 2) / 2 + 4) / 2));
  });

  it.each<[string, (g: ReturnType<typeof graphBuilder>, x: string) => string, RegExp]>([
    [
      'a sum over the time before anything else',
      (g, x) => g.op('ReduceSum', [x, g.ints([1])], { keepdims: 0 }),
      /^ReduceSum ".*" joins all time steps$/,
    ],
    [
      'time among the features',
      (g, x) => g.op('MatMul', [g.op('Reshape', [x, g.ints([-1, 12])]), g.constant(f32(new Float32Array(36), [12, 3]))]),
      /^MatMul ".*" joins/,
    ],
    [
      'a softmax over time',
      (g, x) => g.op('ReduceSum', [g.op('Softmax', [x], { axis: 1 }), g.ints([1])], { keepdims: 0 }),
      /^Softmax ".*" joins/,
    ],
    [
      'a recurrent node',
      (g, x) => {
        const time = g.op('Transpose', [x], { perm: [1, 0, 2] });
        const zeros = (dims: number[]) => g.constant(f32(new Float32Array(dims.reduce((a, b) => a * b)), dims));
        return g.op('Squeeze', [
          g.ops('LSTM', [time, zeros([1, 12, 3]), zeros([1, 12, 3])], ['', g.fresh('last')], { hidden_size: 3 })[1]!,
          g.ints([0]),
        ]);
      },
      /^LSTM ".*" joins/,
    ],
  ])('say why there are none: %s', async (_, write, reason) => {
    const g = graphBuilder();
    const y = write(g, g.input('x', ['N', 4, 3]));
    g.op('Identity', [y], {}, 'logits');
    g.output('logits', ['N', 3]);
    expect(await reasonOf(g.build())).toMatch(reason);
  });

  it('say why there are none: one step, or another input', async () => {
    expect(await reasonOf(spikingNet({ form: 'unrolled', steps: 1, width: 2, reset: 'hard' }), [0])).toBe(
      'there is one time step',
    );
    const g = graphBuilder({ from: spikingNet({ form: 'folded', steps: 4, width: 2, reset: 'hard' }) });
    g.input('given', ['N', 3]);
    expect(await reasonOf(g.build())).toBe('the model reads "given" too');
  });
});
