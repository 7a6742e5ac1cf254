import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { openStepper } from '../../../src/core/runtime/stepper.ts';
import { f32, scalar } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

/** w <- w - rate g(w), where the gradient reads w after w was read for the update: what writing in place would spoil. */
function descent(held?: readonly number[]) {
  const g = graphBuilder();
  g.input('w', held === undefined ? [2, 3] : [3, 2]);
  g.input('rate', []);
  g.op('Sub', ['w', g.op('Mul', ['rate', 'w'])], {}, 'next');
  g.output('next', held === undefined ? [2, 3] : [3, 2]);
  g.op('ReduceSum', [g.op('Mul', ['w', 'next'])], { keepdims: 0 }, 'product');
  g.output('product', []);
  const first = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  return openStepper(g.build(), { w: { next: 'next', first, ...(held === undefined ? {} : { held }) } }, runtime);
}

const values = (t: { readonly data: ArrayLike<number | bigint | string> } | undefined): number[] => Array.from(t!.data, Number);

describe('a graph with state', () => {
  it.each([
    ['in its own order', undefined],
    ['held transposed', [1, 0]],
  ] as const)('moves on from step to step, %s', async (_, held) => {
    const stepper = await descent(held);
    expect(values((await stepper.run({ rate: scalar(0.5) })).product)).toEqual([45.5]);
    expect(stepper.state().w!.dims).toEqual([2, 3]);
    expect(values(stepper.state().w)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
    await stepper.run({ rate: scalar(-1) });
    expect(values(stepper.state().w)).toEqual([1, 2, 3, 4, 5, 6]);
    await stepper.release();
  });

  it('keeps its state, bit for bit, where a step is refused', async () => {
    const stepper = await descent();
    const before = values(stepper.state().w);
    const refused = await stepper.run({ rate: scalar(Number.NaN) }, ({ product }) => Number.isFinite(values(product)[0]));
    expect(values(refused.product)).toEqual([Number.NaN]);
    expect(values(stepper.state().w)).toEqual(before);
    await stepper.run({ rate: scalar(0.5) });
    expect(values(stepper.state().w)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
    await stepper.release();
  });

  it('state that was looked at stays what it was when the graph goes on', async () => {
    const stepper = await descent([1, 0]);
    const before = stepper.state();
    await stepper.run({ rate: scalar(0.5) });
    const after = stepper.state();
    stepper.set({ w: f32([0, 0, 0, 0, 0, 0], [2, 3]) });
    expect(values(before.w)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(values(after.w)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
    expect(after.w).toBe(after.w);
    await stepper.release();
  });

  it('never writes into what the caller gave, and takes new state', async () => {
    const given = f32([6, 5, 4, 3, 2, 1], [2, 3]);
    const stepper = await descent([1, 0]);
    stepper.set({ w: given });
    await stepper.run({ rate: scalar(0.5) });
    await stepper.run({ rate: scalar(0.5) });
    expect(values(stepper.state().w)).toEqual([1.5, 1.25, 1, 0.75, 0.5, 0.25]);
    expect(values(given)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(() => stepper.set({ w: f32([1, 2], [2]) })).toThrow('state "w" is float32 [2,3], got float32 [2]');
    expect(() => stepper.set({ v: given })).toThrow('"v" is not state of this graph (w ...)');
    await stepper.release();
  });
});
