/** @file Which recurrent nodes round a batch of 1 by itself: what needsPairs says is what the runtime does. */
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf } from '../../../src/core/tensor/tensor.ts';
import { needsPairs } from '../../../src/kit/model/pairs.ts';

const runtime = createRuntime(ort);
const [time, inputs, hidden] = [40, 64, 32];

it.each([
  ['RNN', 1, true],
  ['GRU', 3, false],
  ['LSTM', 4, false],
] as const)('%s', async (op, gates, pairs) => {
  const random = stream('pairs', op);
  const normal = (dims: readonly number[]) =>
    f32(
      Float32Array.from({ length: sizeOf(dims) }, () => 0.4 * random.normal()),
      dims,
    );
  const g = graphBuilder();
  const weights = [
    [1, gates * hidden, inputs],
    [1, gates * hidden, hidden],
  ].map((dims) => g.constant(normal(dims)));
  g.ops(op, [g.input('x', [time, 'N', inputs]), ...weights], ['y'], { hidden_size: hidden });
  g.untypedOutput('y');
  const graph = g.build();
  expect(needsPairs(graph, ['x'])).toBe(pairs);
  const both = normal([time, 2, inputs]);
  const first = f32(
    numbersOf(both).filter((_, i) => Math.floor(i / inputs) % 2 === 0),
    [time, 1, inputs],
  );
  const [alone, among] = [await runtime.execute(graph, { x: first }), await runtime.execute(graph, { x: both })];
  const row = numbersOf(among.y!).filter((_, i) => Math.floor(i / hidden) % 2 === 0);
  const same = numbersOf(alone.y!).every((v, i) => v === row[i]);
  expect(same).toBe(!pairs);
});
