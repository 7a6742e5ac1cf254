/** @file Adversarial training through fit(): interrupted and resumed, it comes to the same weights bit for bit. */
import { expect, it } from 'vitest';
import type { Task } from '../../../src/kit/nn/fit/task.ts';
import type { Defence } from '../../../src/methods/defences/defence.ts';
import { defences } from '../../../src/methods/defences/registry.ts';
import { fullTask, halves, memoryStore, outcome, train } from '../../kit/nn/fit/tasks.ts';

const taskOf = (defence: Defence, mode: string | undefined): Task =>
  fullTask({
    train: [{ set: halves('train', 14) }],
    earlyStop: { patience: 9 },
    epochs: 2,
    ...defence.make(
      { ...defence.defaults, ...(mode === undefined ? {} : { mode }), ...('steps' in defence.defaults ? { steps: 2 } : {}) },
      { x: { norm: 'linf', eps: 0.3 } },
    ),
  });

const cases = Object.values(defences).flatMap((defence): [string, Defence, string | undefined][] =>
  'mode' in defence.defaults
    ? ['inference', 'training'].map((mode) => [`${defence.name}, ${mode} mode`, defence, mode])
    : [[defence.name, defence, undefined]],
);

it.each(cases)('%s', async (_, defence, mode) => {
  const task = taskOf(defence, mode);
  const store = memoryStore();
  const whole = outcome(await train(task, { store, every: { batches: 1 } }));
  // six batches, and a checkpoint after each and at the end of both epochs
  expect(store.writes).toHaveLength(8);
  for (const kept of [store.writes[1]!, store.writes[3]!, store.writes[5]!])
    expect(outcome(await train(task, { store: memoryStore(kept) }))).toEqual(whole);
});
