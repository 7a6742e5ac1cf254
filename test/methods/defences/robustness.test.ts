/**
 * @file A problem on which adversarial training provably helps (after Tsipras et al. 2019, section 2.1): one feature of size 3 that agrees with the label
 * in 85 % of the cases, and 20 features of mean 0.5 and deviation 1. Together the weak ones tell the classes apart almost surely, and a change of 1 turns
 * each of them round; the strong one survives it. The best robust accuracy is 0.85. Networks are linear, so that their worst case is known exactly:
 * the margin minus eps times the l1 norm of the difference of the weights.
 */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { i64 } from '../../../src/core/tensor/tensor.ts';
import type { Architecture } from '../../../src/kit/nn/architecture.ts';
import type { LabelledSample } from '../../../src/kit/nn/fit/task.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { openTrainer, type State } from '../../../src/kit/nn/trainer.ts';
import { defences } from '../../../src/methods/defences/registry.ts';
import { openDefence, packed, runtime, spec } from './toy.ts';

const eps = 1;
const weak = 20;
const layer = dense(2);
const architecture: Architecture = {
  name: 'linear',
  inputs: { x: spec([1 + weak], 'NC', { bounds: 'unbounded' }) },
  classes: ['minus', 'plus'],
  write: (net, inputs) => layer(net, inputs.x!),
};

function sampleOf(key: string, i: number): LabelledSample {
  const random = stream('tsipras', key, i);
  const label = i % 2;
  const sign = 2 * label - 1;
  const strong = random.uniform() < 0.85 ? 3 * sign : -3 * sign;
  const x = Float32Array.from({ length: 1 + weak }, (_, k) => (k === 0 ? strong : 0.5 * sign + random.normal()));
  return { id: `${key}-${i}`, group: `${i}`, label, inputs: { x } };
}

const test = Array.from({ length: 2000 }, (_, i) => sampleOf('test', i));
const batchOf = (step: number): LabelledSample[] => Array.from({ length: 64 }, (_, i) => sampleOf('train', step * 64 + i));

/** Shares of the test samples that are right, as they are and wherever within eps they are moved. */
function accuracies({ weight, bias }: State): { clean: number; robust: number } {
  const w = Array.from({ length: 1 + weak }, (_, k) => weight!.data[1 + weak + k]! - weight!.data[k]!);
  const reach = eps * w.reduce((sum, v) => sum + Math.abs(v), 0);
  const margins = test.map(
    ({ inputs, label }) =>
      (2 * label - 1) * (w.reduce((sum, v, k) => sum + v * inputs.x![k]!, 0) + bias!.data[1]! - bias!.data[0]!),
  );
  const share = (least: number) => margins.filter((m) => m > least).length / margins.length;
  return { clean: share(0), robust: share(reach) };
}

const steps = 150;

async function plainly(): Promise<State> {
  const trainer = await openTrainer(architecture, runtime, {
    seed: 5,
    objective: standard(),
    optimiser: sgd,
    settings: { lr: 0.05 },
  });
  for (let step = 0; step < steps; step++) {
    const samples = batchOf(step);
    await trainer.step({
      inputs: packed(
        architecture,
        samples.map((s) => s.inputs),
      ),
      label: i64(samples.map((s) => s.label)),
      noise: {},
      rate: 1,
    });
  }
  return trainer.weights();
}

const undefended = accuracies(await plainly());

describe('robust accuracy on one strong and twenty weak features', () => {
  it('is low after standard training, which is nearly always right', () => {
    expect(undefended.clean).toBeGreaterThan(0.97);
    expect(undefended.robust).toBeLessThan(0.35);
  });

  // the perturbation of `free` is a step behind the weights, which at a larger rate swing around zero
  const rates: Readonly<Record<string, number>> = { free: 0.002 };

  it.each(Object.keys(defences))('%s reaches what the strong feature allows', async (name) => {
    const threats = { x: { norm: 'linf', eps } } as const;
    const opened = await openDefence(architecture, defences[name]!, threats, { lr: rates[name] ?? 0.02, batch: 64 });
    for (let step = 0; step < steps; step++) expect((await opened.train(batchOf(step), step)).accepted).toBe(true);
    const { clean, robust } = accuracies(opened.trainer.weights());
    expect(robust).toBeGreaterThan(0.75);
    expect(robust).toBeGreaterThan(undefended.robust + 0.4);
    expect(clean).toBeLessThan(undefended.clean);
  });
});
