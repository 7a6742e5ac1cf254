import { describe, expect, it } from 'vitest';
import type { UserError } from '../../../../src/core/errors.ts';
import type { Progress } from '../../../../src/kit/nn/fit/progress.ts';
import type { Task } from '../../../../src/kit/nn/fit/task.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import type { Layer } from '../../../../src/kit/nn/net.ts';
import { elementwise, netOf } from '../nets.ts';
import { altered, fullTask, halves, memoryStore, net, task, train } from './tasks.ts';

const failing = async (of: Task, options = {}): Promise<UserError> => {
  const error: unknown = await train(of, options).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringContaining('clip: 1') });
  return error as UserError;
};

const netLike = (...layers: Layer[]): Task['architecture'] => ({ ...net, write: netOf([1, 4, 4], 2, ...layers).write });

const times =
  (factor: number): Layer =>
  ({ g }, x) => ({ ...x, name: g.op('Mul', [x.name, g.number(factor)]) });

describe('a step that is not finite', () => {
  it('names the sample of the data it began in', async () => {
    const planted = altered(halves('train', 22), ({ inputs }, i) =>
      i === 13 ? { inputs: { x: inputs.x!.map((v, k) => (k === 3 ? Number.NaN : v)) } } : {},
    );
    const { message } = await failing(task({ train: [{ set: planted }], epochs: 2 }));
    expect(message).toMatch(/^the loss is not finite in epoch [12], step \d of 5: /);
    expect(message).toContain('it began in the data: input "x" of sample "13" holds NaN');
    expect(message).toContain('no checkpoint was written before');
  });

  it('names the layer whose result is the first that is not finite, and the samples', async () => {
    // exp(z) overflows float32 where z exceeds 88.7
    const architecture = netLike(flatten, dense(40), elementwise('Exp'), dense(2));
    const planted = altered(halves('train', 22), ({ inputs }, i) => (i === 4 ? { inputs: { x: inputs.x!.map(() => 400) } } : {}));
    const { message } = await failing(task({ architecture, train: [{ set: planted }], settings: { lr: 1e-20 } }));
    expect(message).toMatch(/the loss is not finite for 1 of 4 samples: "4"/);
    expect(message).toContain('it began in the forward pass, at the Exp after the layer of "1.weight"');
    expect(message).toMatch(/the largest weight is [\d.]+, in "[13]\.\w+"/);
  });

  it('names the parameter whose gradient is the first that is not finite', async () => {
    // a wave of slope 1e25, times 1e20: the results are below 1e22, the slope of both is beyond float32
    const architecture = netLike(flatten, dense(6), times(1e25), elementwise('Sin'), times(1e20), dense(2));
    const { message } = await failing(task({ architecture }));
    expect(message).toMatch(/^the norm of the gradient is not finite in epoch 1, step 1 of 5: /);
    expect(message).toMatch(/the forward pass is finite; going back, the gradient of "1\.\w+" is the first that is not/);
  });

  it('names the parameter whose gradient overflows the norm', async () => {
    const architecture = netLike(flatten, dense(6), times(1e25), elementwise('Sin'), dense(2));
    const { message } = await failing(task({ architecture }));
    expect(message).toMatch(/the forward pass is finite; the gradients overflow: that of "1\.\w+" reaches \d\.\d+e\+2\d/);
  });

  it('keeps the last good checkpoint and says which it is', async () => {
    const store = memoryStore();
    const told: Progress[] = [];
    const rate = (step: number): number => (step < 7 ? 1 : 1e30);
    const error = await failing(fullTask({ schedule: { rate }, ema: undefined as never }), {
      store,
      onProgress: (p: Progress) => told.push(p),
    });
    expect(error.message).toMatch(/epoch 2, step \d of 5/);
    expect(error.message).toContain('the checkpoint at the end of epoch 1 is kept');
    expect(store.writes).toHaveLength(1);
    expect(told.filter((p) => p.record !== undefined)).toHaveLength(1);
  });
});
