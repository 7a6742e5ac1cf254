/** @file What the inner attacks make of a batch: points in budget and bounds that hurt the current network, whoever else is in the batch. */
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import { logSumExp } from '../../../src/kit/losses/score-loss.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Inputs } from '../../../src/kit/model/model.ts';
import type { Crafted, LabelledSample } from '../../../src/kit/nn/fit/task.ts';
import { liveSessions } from '../../../src/kit/nn/live.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Defence, Threats } from '../../../src/methods/defences/defence.ts';
import { defences } from '../../../src/methods/defences/registry.ts';
import { type Opened, openDefence, runtime, samplesOf, twoInputs, withDropout } from './toy.ts';

const architecture = twoInputs();
const crafting = Object.entries(defences).filter(([name]) => name !== 'free');
const samples = samplesOf(architecture, 6);
const shared = await openDefence(architecture, defences['pgd-at']!, { face: { norm: 'linf', eps: 0.1 } });

/** A crafter on the current weights of the one network the tests share. */
const crafterFor = async (defence: Defence, threats: Threats, options = {}): Promise<Pick<Opened, 'crafter' | 'trainer'>> => ({
  trainer: shared.trainer,
  crafter: await defence.make({ ...defence.defaults, ...options }, threats).crafting.prepare({
    trainer: shared.trainer,
    runtime,
    seed: 7,
    batch: 16,
    signal: new AbortController().signal,
  }),
});

const at = (step: number) => ({ epoch: 0, step, replay: 0 });

const budgets: Readonly<Record<'linf' | 'l2' | 'l1', Threats>> = {
  linf: { face: { norm: 'linf', eps: 0.1 }, voice: { norm: 'linf', eps: 0.4 } },
  l2: { face: { norm: 'l2', eps: 0.6 }, voice: { norm: 'linf', eps: 0.2 } },
  l1: { face: { norm: 'l1', eps: 1.5 }, voice: { norm: 'l2', eps: 0.5 } },
};

/** The crafted inputs, however they were handed over. */
function pointsOf({ inputs, extra }: Crafted, of: readonly LabelledSample[]): Inputs[] {
  if (inputs !== undefined) return [...inputs];
  return of.map(({ inputs: own }, i) =>
    Object.fromEntries(
      Object.entries(own).map(([name, x]) => {
        const moved = extra?.[`adversarial_${name}`]?.data as Float32Array | undefined;
        return [name, moved === undefined ? x : moved.slice(i * x.length, (i + 1) * x.length)];
      }),
    ),
  );
}

const craft = async ({ crafter }: Pick<Opened, 'crafter'>, of: readonly LabelledSample[], step = 3): Promise<Inputs[]> =>
  pointsOf(await crafter.craft(of, at(step)), of);

const sizes: Readonly<Record<Norm, (d: readonly number[]) => number>> = {
  linf: (d) => Math.max(...d.map(Math.abs)),
  l2: (d) => Math.hypot(...d),
  l1: (d) => d.reduce((sum, v) => sum + Math.abs(v), 0),
  l0: (d) => d.filter((v) => v !== 0).length,
};

async function logitsAt({ trainer }: Pick<Opened, 'trainer'>, points: readonly Inputs[]): Promise<Float32Array[]> {
  const sessions = await liveSessions(architecture, runtime, () => trainer.weights({ raw: true }));
  const oracle = createOracle(sessions, { maxBatch: 16 });
  return oracle.logits(points.map((inputs, of) => ({ of, inputs })));
}

const crossEntropy = (z: Float32Array, label: number): number => logSumExp(Array.from(z)) - z[label]!;

const softmax = (z: Float32Array): number[] => Array.from(z, (v) => Math.exp(v - logSumExp(Array.from(z))));

function divergence(z: Float32Array, other: Float32Array): number {
  const [p, q] = [softmax(z), softmax(other)];
  return p.reduce((sum, v, c) => sum + v * Math.log(v / q[c]!), 0);
}

describe.each(crafting)('%s', (name, defence) => {
  it.each(Object.entries(budgets))('stays in budget and bounds, each input in its own (%s)', async (_, threats) => {
    const opened = await crafterFor(defence, threats);
    const points = await craft(opened, samples);
    for (const [i, { inputs }] of samples.entries()) {
      expect(points[i]!.age).toEqual(inputs.age);
      for (const [input, { norm, eps }] of Object.entries(threats)) {
        const x = inputs[input]!;
        const { lower, upper } = architecture.inputs[input]!.bounds as { lower: number; upper: number };
        const moved = Array.from(points[i]![input]!);
        expect(moved.every((v) => v >= lower && v <= upper)).toBe(true);
        const size = sizes[norm](moved.map((v, k) => v - x[k]!));
        expect(size).toBeLessThanOrEqual(eps * (1 + 1e-6) + 2 ** -23 * 2 * Math.sqrt(x.length));
        expect(size).toBeGreaterThan(0.1 * eps);
      }
    }
  });

  it('leaves inputs without a budget and places outside a mask alone', async () => {
    const opened = await crafterFor(defence, { face: { norm: 'linf', eps: 0.1 } });
    const mask = Float32Array.from({ length: 25 }, (_, i) => i % 2);
    const points = await craft(
      opened,
      samples.map((sample) => ({ ...sample, mask: { face: mask } })),
    );
    for (const [i, { inputs }] of samples.entries()) {
      expect(points[i]!.voice).toEqual(inputs.voice);
      const changed = Array.from(points[i]!.face!, (v, k) => v !== inputs.face![k]);
      expect(changed.some((moved, k) => moved && mask[k] === 0)).toBe(false);
      expect(changed.filter(Boolean).length).toBeGreaterThan(5);
    }
  });

  it('raises what it climbs on every sample', async () => {
    const opened = await crafterFor(defence, budgets.linf);
    const [clean, crafted] = [
      await logitsAt(
        opened,
        samples.map((s) => s.inputs),
      ),
      await logitsAt(opened, await craft(opened, samples)),
    ];
    for (const [i, { label }] of samples.entries()) {
      if (name === 'trades') expect(divergence(clean[i]!, crafted[i]!)).toBeGreaterThan(0.005);
      else expect(crossEntropy(crafted[i]!, label)).toBeGreaterThan(crossEntropy(clean[i]!, label) + 0.05);
    }
  });

  it('gives every sample the same point in any batch and order', async () => {
    const opened = await crafterFor(defence, budgets.linf);
    const together = await craft(opened, samples);
    const backwards = await craft(opened, [...samples].reverse());
    expect(backwards.reverse()).toEqual(together);
    for (const [i, sample] of samples.entries()) expect((await craft(opened, [sample]))[0]).toEqual(together[i]);
  });

  it('follows the weights without new sessions, and draws anew at every step', async () => {
    let opens = 0;
    const counting: Runtime = {
      ...runtime,
      open(graph) {
        opens++;
        return runtime.open(graph);
      },
    };
    // without radii of its own, a first step from the sample itself leaves nothing to draw
    const options = 'balls' in defence.defaults ? { balls: 'uniform' } : {};
    const opened = await openDefence(architecture, defence, budgets.linf, { options, lr: 0.5, on: counting });
    const before = await craft(opened, samples);
    expect(await craft(opened, samples)).toEqual(before);
    expect(await craft(opened, samples, 4)).not.toEqual(before);
    const needed = opens;
    for (let step = 0; step < 3; step++) expect((await opened.train(samples, step)).accepted).toBe(true);
    expect(await craft(opened, samples)).not.toEqual(before);
    expect(opens).toBe(needed);
  });
});

describe('the network that is attacked', () => {
  const threats: Threats = { face: { norm: 'linf', eps: 0.1 } };

  it('couples the batch in training mode only', async () => {
    for (const mode of ['inference', 'training']) {
      const opened = await crafterFor(defences['pgd-at']!, threats, { mode });
      const [all, part] = [await craft(opened, samples), await craft(opened, samples.slice(0, 3))];
      if (mode === 'inference') expect(part).toEqual(all.slice(0, 3));
      else expect(part).not.toEqual(all.slice(0, 3));
    }
  });

  it('has dropout in training mode, drawn per sample and step', async () => {
    const opened = await openDefence(withDropout, defences['pgd-at']!, threats, {
      options: { mode: 'training', randomStart: false },
    });
    const first = await craft(opened, samples);
    expect(await craft(opened, samples)).toEqual(first);
    expect(await craft(opened, samples, 4)).not.toEqual(first);
    expect((await craft(opened, samples.slice(0, 1))).length).toBe(1);
  });

  it('is the raw one where weights are averaged too', async () => {
    const [plain, averaged] = await Promise.all(
      [undefined, 0.9].map((ema) =>
        openDefence(architecture, defences['pgd-at']!, { face: { norm: 'linf', eps: 0.1 } }, { ema }),
      ),
    );
    for (const step of [0, 1]) for (const opened of [plain!, averaged!]) await opened.train(samples, step);
    expect(averaged!.trainer.weights()).not.toEqual(averaged!.trainer.weights({ raw: true }));
    expect(await craft(averaged!, samples)).toEqual(await craft(plain!, samples));
  });

  it('stops at a signal', async () => {
    const opened = shared;
    const signal = AbortSignal.abort(new Error('enough'));
    const crafter = await opened.defended.crafting.prepare({ trainer: opened.trainer, runtime, seed: 7, batch: 16, signal });
    await expect(crafter.craft(samples, at(0))).rejects.toThrow('enough');
  });

  it('leaves a sample whose gradient is not finite where it is, and the others move', async () => {
    const opened = await crafterFor(defences['pgd-at']!, threats, { randomStart: false });
    const broken: LabelledSample = { ...samples[0]!, inputs: { ...samples[0]!.inputs, age: Float32Array.of(Number.NaN) } };
    const points = await craft(opened, [broken, samples[1]!]);
    expect(points[0]!.face).toEqual(broken.inputs.face);
    expect(points[1]).toEqual((await craft(opened, [samples[1]!]))[0]);
  });
});

describe('bad threats', () => {
  it.each(Object.values(defences))('are refused by $name with one message', async (defence) => {
    const make = (threats: Threats) => () => defence.make(defence.defaults, threats);
    expect(make({})).toThrow('needs a threat');
    expect(make({ face: { norm: 'l0', eps: 3 } })).toThrow('l0');
    expect(make({ face: { norm: 'linf', eps: 0 } })).toThrow('"face" is 0');
    const { trainer } = shared;
    const signal = new AbortController().signal;
    const prepare = (input: string) =>
      defence
        .make(defence.defaults, { [input]: { norm: 'linf', eps: 0.1 } })
        .crafting.prepare({ trainer, runtime, seed: 0, batch: 4, signal });
    await expect(prepare('fase')).rejects.toThrow('"fase"');
    await expect(prepare('age')).rejects.toThrow('role is "given"');
  });
});
