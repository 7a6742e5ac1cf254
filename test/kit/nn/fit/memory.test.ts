/** What a training holds on to. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { f32 } from '../../../../src/core/tensor/tensor.ts';
import type { CheckpointStore, Crafting, Task } from '../../../../src/kit/nn/fit/task.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import { netOf } from '../nets.ts';
import { halves, memoryStore, net, task, train } from './tasks.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** 20000 x (16 + 1) + 2 x (20000 + 1) weights, and as many numbers of momentum. */
const wide: Task['architecture'] = { ...net, write: netOf([1, 4, 4], 2, flatten, dense(20_000), dense(2)).write };
const stateBytes = 2 * 4 * (20_000 * 17 + 40_002);

/** Bytes in array buffers in the midst of a training of `wide` that goes on from these bytes, or begins anew. */
async function heldBytes(crafting: Crafting, from?: Uint8Array): Promise<number> {
  let bytes = from;
  const once: CheckpointStore = {
    name: 'checkpoint.npz',
    async read() {
      const given = bytes;
      bytes = undefined;
      return given;
    },
    write: async () => {},
  };
  const least: number[] = [];
  const onProgress = (): void => {
    collect();
    least.push(process.memoryUsage().arrayBuffers);
  };
  const of = task({ architecture: wide, crafting, epochs: 1, train: [{ set: halves('train', 22) }] });
  await train(of, { store: once, onProgress, every: { batches: 1000 } });
  // the last call comes after the epoch's end, when the best weights are copied
  return Math.min(...least.slice(0, -1));
}

it('a training that goes on from a checkpoint lets go of it', async () => {
  let restored: WeakRef<object> | undefined;
  const crafting: Crafting = {
    name: 'carries one number',
    prepare: async () => ({
      craft: async () => ({}),
      state: () => ({ carried: f32([1]) }),
      restore(state) {
        restored = new WeakRef(state);
      },
      release: async () => {},
    }),
  };
  const store = memoryStore();
  const stop = new AbortController();
  const begun = train(task({ architecture: wide, crafting, epochs: 1, train: [{ set: halves('train', 22) }] }), {
    store,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await expect(begun).rejects.toThrow('enough');
  const [bytes] = store.writes.splice(0);
  expect(bytes!.length).toBeGreaterThan(stateBytes);

  const anew = await heldBytes(crafting);
  const resumed = await heldBytes(crafting, bytes);
  expect(restored).toBeDefined();
  expect(restored!.deref()).toBeUndefined();
  expect(resumed - anew).toBeLessThan(0.5 * stateBytes);
});
