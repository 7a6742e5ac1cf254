import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { f32, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import type { Crafting, Task } from '../../../../src/kit/nn/fit/task.ts';
import { fullTask as fullTaskOf, halves, memoryStore, outcome, train } from './tasks.ts';

/** Three batches per epoch. */
const fullTask = (changes: Partial<Task> = {}): Task => fullTaskOf({ train: [{ set: halves('train', 14) }], ...changes });

const interrupted = async (task: Task, after: number, every: number): Promise<unknown> => {
  const store = memoryStore();
  const abort = new AbortController();
  let batches = 0;
  const onProgress = (): void => {
    if (++batches === after) abort.abort(new Error('enough'));
  };
  const first = train(task, { store, signal: abort.signal, onProgress, every: { batches: every } });
  await expect(first).rejects.toThrow('enough');
  const resumed = await train(task, { store });
  expect(resumed.resumedAt).toBeDefined();
  return outcome(resumed);
};

describe('a training that was interrupted', () => {
  let whole: unknown;
  beforeAll(async () => {
    whole = outcome(await train(fullTask()));
  });

  it('goes on bit for bit where it was stopped', async () => {
    // within an epoch, after its last batch, at its end, in the next
    for (const after of [2, 3, 5]) expect(await interrupted(fullTask(), after, 1000)).toEqual(whole);
  });

  it('goes on bit for bit from the checkpoint after every single step, as after a kill', async () => {
    const store = memoryStore();
    await train(fullTask(), { store, every: { batches: 1 } });
    expect(store.writes).toHaveLength((whole as { history: unknown[] }).history.length * 4);
    for (const bytes of store.writes) expect(outcome(await train(fullTask(), { store: memoryStore(bytes) }))).toEqual(whole);
  });

  it('goes on bit for bit after several interruptions, with mixed batches', async () => {
    const mixed = fullTask({
      train: [
        { set: halves('train', 22), share: 3 },
        { set: halves('more', 7), share: 1 },
      ],
    });
    const uninterrupted = outcome(await train(mixed));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }), async (stops) => {
        const store = memoryStore();
        for (const stop of stops) {
          const abort = new AbortController();
          let batches = 0;
          const onProgress = (): void => {
            if (++batches === stop) abort.abort(new Error('enough'));
          };
          await train(mixed, { store, signal: abort.signal, onProgress }).catch((error: Error) => {
            expect(error.message).toBe('enough');
          });
        }
        expect(outcome(await train(mixed, { store }))).toEqual(uninterrupted);
      }),
      { numRuns: 3 },
    );
  });

  it('keeps what a defence carries from batch to batch', async () => {
    const task = fullTask({ crafting: drifting, earlyStop: { patience: 9 }, epochs: 2 });
    const uninterrupted = outcome(await train(task));
    expect(uninterrupted).not.toEqual(outcome(await train(fullTask({ earlyStop: { patience: 9 }, epochs: 2 }))));
    for (const after of [1, 3, 4]) expect(await interrupted(task, after, 1000)).toEqual(uninterrupted);
  });
});

/** Two steps per batch, and a perturbation that follows the gradients and is never begun anew. */
const drifting: Crafting = {
  name: 'drifting',
  wrtInputs: ['x'],
  async prepare() {
    let delta = new Float32Array(16);
    return {
      replay: 2,
      craft: async (samples) => ({ inputs: samples.map(({ inputs }) => ({ x: inputs.x!.map((v, i) => v + delta[i]!) })) }),
      after({ inputGradients }) {
        const g = inputGradients.x!.data;
        delta = delta.map((d, i) => d + 0.01 * Math.sign(g[i]!));
      },
      state: (): Record<string, Tensor> => ({ delta: f32(delta) }),
      restore({ delta: held }) {
        delta = Float32Array.from((held as Tensor<'float32'>).data);
      },
      release: async () => undefined,
    };
  },
};
