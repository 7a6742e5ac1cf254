import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { zeros } from '../../../../src/core/tensor/tensor.ts';
import { convolution } from '../../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { averagePool, globalAverage, maxPool } from '../../../../src/kit/nn/layers/pooling.ts';
import { gru, lstm, rnn } from '../../../../src/kit/nn/layers/recurrent.ts';
import { flatten, overTime, permute, reshape } from '../../../../src/kit/nn/layers/shape.ts';
import { neuron } from '../../../../src/kit/nn/layers/spiking/neuron.ts';
import { inputSignal, type Layer, openNet } from '../../../../src/kit/nn/net.ts';

const runtime = createRuntime(ort, { threads: 1 });

/** The shape a layer says it returns, and the one the runtime makes of it for a batch of so many. */
async function shapes(layer: Layer, shape: readonly number[], batch: number): Promise<{ said: number[]; made: number[] }> {
  const { net, written } = openNet({ mode: 'inference', seed: 0 });
  const y = layer(net, inputSignal(net, 'x', shape));
  const { builder } = written();
  builder.untypedOutput(builder.op('Identity', [y.name], {}, 'y'));
  const made = await runtime.execute(builder.build(), { x: zeros('float32', [batch, ...shape]) });
  return { said: [batch, ...y.shape], made: [...made.y!.dims] };
}

const size = fc.integer({ min: 1, max: 7 });
const list = (value: fc.Arbitrary<number>, length: number) => fc.array(value, { minLength: length, maxLength: length });

/** A layer with a shape it can read. */
const pairs: Readonly<Record<string, fc.Arbitrary<[Layer, readonly number[]]>>> = {
  convolution: fc.integer({ min: 1, max: 3 }).chain((rank) =>
    fc
      .record({
        kernel: list(fc.integer({ min: 1, max: 3 }), rank),
        stride: list(fc.integer({ min: 1, max: 3 }), rank),
        dilation: list(fc.integer({ min: 1, max: 2 }), rank),
        padding: fc.oneof(list(fc.integer({ min: 0, max: 2 }), rank), fc.constant('same' as const)),
        sizes: list(fc.integer({ min: 5, max: 8 }), rank),
        groups: fc.integer({ min: 1, max: 2 }),
      })
      .map(({ kernel, sizes, ...options }): [Layer, number[]] => [convolution(4, kernel, options), [2, ...sizes]]),
  ),
  pool: fc.integer({ min: 1, max: 3 }).chain((rank) =>
    fc
      .record({
        kernel: list(fc.integer({ min: 2, max: 3 }), rank),
        stride: list(fc.integer({ min: 1, max: 3 }), rank),
        padding: list(fc.integer({ min: 0, max: 1 }), rank),
        sizes: list(fc.integer({ min: 3, max: 8 }), rank),
        largest: fc.boolean(),
      })
      .map(({ kernel, sizes, largest, ...options }): [Layer, number[]] => [
        (largest ? maxPool : averagePool)(kernel, options),
        [2, ...sizes],
      ]),
  ),
  dense: fc.array(size, { minLength: 1, maxLength: 3 }).map((shape): [Layer, number[]] => [dense(5), shape]),
  recurrent: fc
    .record({
      kind: fc.constantFrom(lstm, gru, rnn),
      units: size,
      bidirectional: fc.boolean(),
      last: fc.boolean(),
      t: size,
      c: size,
    })
    .map(({ kind, units, bidirectional, last, t, c }): [Layer, number[]] => [
      kind(units, { bidirectional, output: last ? 'last' : 'sequence' }),
      [t, c],
    ]),
  permute: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }).map((order): [Layer, number[]] => [permute(order), [2, 3, 4]]),
  'reshape and flatten': fc.constantFrom([12], [3, 4], [2, 1, 6]).map((to): [Layer, number[]] => [reshape(to), [4, 3]]),
  flatten: fc.array(size, { minLength: 1, maxLength: 3 }).map((shape): [Layer, number[]] => [flatten, shape]),
  overTime: fc.tuple(size, size).map(([t, c]): [Layer, number[]] => [overTime(dense(3)), [t, c]]),
  lif: fc.array(size, { minLength: 2, maxLength: 3 }).map((shape): [Layer, number[]] => [neuron(), shape]),
};

describe('layers know their shapes, at every batch', () => {
  it.each(Object.entries(pairs))('%s', async (_, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 1, max: 3 }), async ([layer, shape], batch) => {
        const { said, made } = await shapes(layer, shape, batch);
        expect(said).toEqual(made);
      }),
      { numRuns: 25 },
    );
  });

  it('what cannot fit is refused where it is written', () => {
    const { net } = openNet({ mode: 'inference', seed: 0 });
    const x = inputSignal(net, 'x', [2, 3]);
    expect(() => convolution(4, [3, 3])(net, x)).toThrow(/over 2 axes was given \[2,3\]/);
    expect(() => convolution(4, [4])(net, x)).toThrow(/kernel of \[4\] does not fit into \[2,3\]/);
    expect(() => convolution(3, [1], { groups: 2 })(net, x)).toThrow(/2 channels cannot become 3 in 2 equal groups/);
    expect(() => globalAverage(net, { ...x, shape: [2] })).toThrow(/no places/);
    expect(() => maxPool([4])(net, x)).toThrow(/does not fit/);
    expect(() => reshape([7])(net, x)).toThrow(/does not have the elements/);
    expect(() => lstm(2)(net, { ...x, shape: [2] })).toThrow(/reads \[T, C\]/);
  });
});
