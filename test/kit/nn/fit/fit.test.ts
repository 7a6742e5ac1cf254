import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../../src/kit/nn/fit/progress.ts';
import { fullTask, halves, memoryStore, outcome, task, train } from './tasks.ts';

describe('fit', () => {
  it('learns what can be told apart, and says so on the validation set', async () => {
    const told: Progress[] = [];
    const fitted = await train(task({ epochs: 8 }), { onProgress: (p) => told.push(p) });
    const [first, last] = [fitted.history[0]!, fitted.history.at(-1)!];
    expect(last.validation.accuracy).toBe(1);
    expect(last.validation.recall).toBe(1);
    expect(last.loss).toBeLessThan(first.loss / 2);
    expect(last.validation.loss).toBeLessThan(0.2);
    expect(fitted.steps).toBe(8 * 5);
    expect(fitted.history.map((r) => r.epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(fitted.best.epoch).toBe(
      fitted.history.reduce((best, r) => (r.validation.loss < best.validation.loss ? r : best)).epoch,
    );
    // 5 batches (22 samples by 4, the rest dropped) and the epoch's record
    expect(told).toHaveLength(8 * 6);
    expect(told[4]).toMatchObject({ epoch: 1, epochs: 8, step: 5, of: 5 });
    expect(told[5]!.record).toEqual(first);
    expect(told.at(-1)!.secondsLeft).toBe(0);
    expect(told[0]!.secondsLeft).toBeGreaterThan(0);
    expect(told[0]!.secondsLeft).toBeLessThan(600);
  });

  it('keeps the learning rate the last step had', async () => {
    const { history } = await train(task({ epochs: 2, settings: { lr: 0.05 } }));
    expect(history.map((r) => r.lr)).toEqual([0.05 * (1 - 4 / 10), 0.05 * (1 - 9 / 10)]);
  });

  it('stops when patience has run out, with the weights of the best epoch', async () => {
    // nothing moves: the first epoch stays the best
    const still = await train(task({ epochs: 9, settings: { lr: 1e-30 }, earlyStop: { patience: 2, metric: 'accuracy' } }));
    expect(still.stoppedEarly).toBe(true);
    expect(still.history).toHaveLength(3);
    expect(still.best.epoch).toBe(1);
    const toTheEnd = await train(task({ epochs: 3, settings: { lr: 1e-30 }, earlyStop: { patience: 2, metric: 'accuracy' } }));
    expect(toTheEnd.stoppedEarly).toBe(false);
    const free = await train(task({ epochs: 4, settings: { lr: 1e-30 } }));
    expect(free.stoppedEarly).toBe(false);
    expect(free.history).toHaveLength(4);
  });

  it('gives the same bits however many batches are loaded ahead, and whatever is kept decoded', async () => {
    const usual = outcome(await train(fullTask()));
    expect(outcome(await train(fullTask(), { loading: { ahead: 0, cacheBytes: 0 } }))).toEqual(usual);
    expect(outcome(await train(fullTask(), { loading: { ahead: 7, cacheBytes: 10 * 64 } }))).toEqual(usual);
  });

  it('another seed is another training', async () => {
    const one = outcome(await train(fullTask({ seed: 1 })));
    expect(outcome(await train(fullTask({ seed: 2 })))).not.toEqual(one);
  });

  it('asks a set that fits in memory for each sample once', async () => {
    const asked = new Map<number, number>();
    const set = halves('train', 22);
    const counting = {
      ...set,
      sample: (index: number) => {
        asked.set(index, (asked.get(index) ?? 0) + 1);
        return set.sample(index);
      },
    };
    await train(task({ train: [{ set: counting }] }));
    expect([...asked.values()]).toEqual(Array.from({ length: 22 }, () => 1));
  });

  it('is done at once where the checkpoint is of the end', async () => {
    const store = memoryStore();
    const first = await train(fullTask(), { store });
    const told: Progress[] = [];
    const again = await train(fullTask(), { store, onProgress: (p) => told.push(p) });
    expect(outcome(again)).toEqual(outcome(first));
    expect(told).toEqual([]);
  });
});
