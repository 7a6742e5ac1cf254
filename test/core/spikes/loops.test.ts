/** Neurons inside a loop whose length the data decide: the model opens, and asking for their derivative is refused with the way out. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { tensor } from '../../../src/core/tensor/tensor.ts';
import { spikesOf } from '../../../src/kit/model/find-spikes.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { runtime } from './look.ts';

/** Integrates x until the potentials have been above a level: as many turns as that takes, ten at most. */
function looping(spikes: boolean) {
  const g = graphBuilder({ name: 'open' });
  const x = g.input('x', ['N', 4]);
  const b = g.body('turn');
  b.input('turn', [], 'int64');
  b.input('go', [], 'bool');
  const v = b.op('Add', [b.input('v', ['N', 4]), x]);
  const s = b.op('Cast', [b.op('Greater', [v, b.number(1)])], { to: 1 });
  const next = spikes ? b.op('Sub', [v, s]) : v;
  const sum = b.op('Add', [b.input('sum', ['N', 4]), s]);
  const go = b.op('Less', [b.op('ReduceSum', [sum], { keepdims: 0 }), b.number(8)]);
  for (const [name, dtype] of [
    [go, 'bool'],
    [next, 'float32'],
    [sum, 'float32'],
  ] as const)
    b.output(name, dtype === 'bool' ? [] : ['N', 4], dtype);
  const most = g.constant(tensor('int64', [], BigInt64Array.of(10n)));
  const yes = g.constant(tensor('bool', [], Uint8Array.of(1)));
  const start = g.op('Mul', [x, g.number(0)]);
  const [, counted] = g.ops('Loop', [most, yes, start, start], 2, { body: { type: 'graph', value: b.build() } });
  g.op('Identity', [counted!], {}, 'logits');
  g.output('logits', ['N', 4]);
  return g.build();
}

const open = (spikes: boolean) => openModel(looping(spikes), { name: 'open', sha256: '', execute: runtime.execute });

describe('a loop whose length depends on the data', () => {
  it('with neurons in it: said when the model is opened, refused when they are asked for', async () => {
    const model = await open(true);
    expect(model.spiking).toBeUndefined();
    expect(model.inferred.join()).toMatch(/the loop Loop .* holds spiking neurons/);
    expect(() => spikesOf(model, 'atan')).toThrow(UserError);
    expect(() => spikesOf(model, 'atan')).toThrow(/inside the loop Loop "Loop_0"/);
  });

  it('without: nothing is said, and there are none', async () => {
    const model = await open(false);
    expect(model.inferred.join()).not.toMatch(/spiking/);
    expect(() => spikesOf(model, 'atan')).toThrow(/has none that were recognised/);
  });
});
