/** @file ASSG against its sentences in plain float64 numbers over several gradients of a walk, and what it remembers whatever the batch. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Loss } from '../../../src/kit/losses/loss.ts';
import { gradientModel } from '../../../src/kit/model/gradient-model.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { GradientOracle, Probe } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { chooseSpikes, type SpikesReference, substitutesFor } from '../../../src/kit/spiking/choose.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { apgd, attackNamed, pgd, saPgd } from '../../../src/methods/attacks/index.ts';
import { worstCase } from '../../../src/methods/attacks/suites/worst-case.ts';
import { jobOf, sampleOf, untargeted } from '../../methods/attacks/linear.ts';
import { casesOf, type NetworkCase } from '../../oracles/spiking/cases.ts';
import { samplesOf, spikingModel } from '../../oracles/spiking/model.ts';
import { type LayerCase, type Network, networkOf, type Slopes } from '../../oracles/spiking/network.ts';

const runtime = createRuntime(ort);
const named = (name: string): NetworkCase => casesOf('network').find((c) => c.name === name)!;
const conv = named('network-convbn-direct-b4');
const mlp = named('network-mlp-b4');

async function opened(c: NetworkCase, spikes: SpikesReference, maxBatch = 64) {
  const chosen = chooseSpikes(await spikingModel(c, runtime), spikes);
  const sessions = openSessions(chosen.model, runtime, substitutesFor(chosen.spikes!));
  return { sessions, model: chosen.model, oracle: createOracle(sessions, { maxBatch }) };
}

const ce = (label: number): Loss => ({ label, ce: 1 });
const margin = (label: number): Loss => ({ label, margin: -1 });
/** Not the margin: rivals tie where logits are counts of spikes. */
const linear = (label: number): Loss => ({ label, linear: Float32Array.of(0.5, -1, 0.25) });

/** The curves as Wang et al. state them. What a walk has seen so far is in the closure. */
function adaptive({ vanishing = 0.85, relax = 1.5, beta1 = 0.9, beta2 = 0.9 } = {}): Slopes {
  const seen = new Map<number, { M: Float64Array; D: Float64Array }>();
  return (v, { layer, vThreshold }) => {
    const { M, D } = seen.get(layer) ?? { M: new Float64Array(v.length).fill(1), D: new Float64Array(v.length) };
    seen.set(layer, { M, D });
    return v.map((potential, k) => {
      const u = potential - vThreshold;
      M[k] = beta1 * M[k]! + (1 - beta1) * Math.abs(u);
      D[k] = beta2 * D[k]! + (1 - beta2) * Math.abs(Math.abs(u) - M[k]!);
      const alpha = (2 * Math.tan((Math.PI * vanishing) / 2)) / Math.PI / (M[k]! + relax * D[k]! + 1e-4);
      return alpha / 2 / (1 + ((Math.PI / 2) * alpha * u) ** 2);
    });
  };
}

function statedGradient(net: Network, x: Float32Array, loss: Loss): Float64Array {
  const z = net.forward(x);
  const top = Math.max(...z);
  const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return net.backward(z.map((value, c) => loss.linear?.[c] ?? Math.exp(value - top) / total - +(c === loss.label)));
}

/** Points of a walk from each sample of a case. */
function walks(c: NetworkCase, steps: number): Float32Array[][] {
  return samplesOf(c).map(({ x }, b) => {
    const random = stream('assg', b);
    const points = [x!];
    for (let k = 1; k < steps; k++) points.push(points.at(-1)!.map((value) => value + 0.3 * random.normal()));
    return points;
  });
}

const detached = mlp.layers.some((layer) => layer.op === 'lif' && layer.neuron.detachReset);

describe.each([{ use: 'assg' }, { use: 'assg', vanishing: 0.7, relax: 0.5, beta1: 0.5, beta2: 0.75 }] as const)(
  '$use, A $vanishing',
  (choice) => {
    it('gives at every step of a walk what the paper states, and begins again where a walk does', async () => {
      const { oracle, sessions } = await opened(mlp, { ...choice, reset: detached ? 'detach' : 'through' });
      const all = walks(mlp, 7);
      const shape = mlp.inputShape.slice(2);
      const anew = (k: number): boolean => k === 0 || k === 5;
      const net = () => networkOf(mlp.layers as readonly LayerCase[], mlp.T, shape, adaptive(choice));
      let nets = all.map(net);
      let largest = 0;
      for (let k = 0; k < 7; k++) {
        if (anew(k)) nets = all.map(net);
        // cross-entropy has a session of its own: both see one memory
        const losses = mlp.labels.map(k % 3 === 1 ? linear : ce);
        const probes = all.map((points, of): Probe => ({ of, inputs: { x: points[k]! }, ...(anew(k) ? { anew: true } : {}) }));
        const { gradient } = await oracle.gradient(probes, losses);
        gradient.forEach(({ x }, b) => {
          const expected = statedGradient(nets[b]!, all[b]![k]!, losses[b]!);
          const scale = Math.max(...expected.map(Math.abs));
          expect(scale).toBeGreaterThan(0);
          x!.forEach((value, i) => {
            largest = Math.max(largest, Math.abs(value - expected[i]!) / scale);
          });
        });
      }
      expect(largest).toBeLessThan(1e-5);
      expect([...new Set((await sessions.gradient()).substitutes.map(({ label }) => label))]).toEqual([
        expect.stringMatching(/^ASSG \(A 0\.\d+, relax /),
      ]);
      await sessions.release();
    });
  },
);

/** The class the network itself gives. */
const labelled = (b: number): number => mlp.expected.logits[b]!.indexOf(Math.max(...mlp.expected.logits[b]!));

describe('the memory', () => {
  it('is there: the same point asked about twice has another gradient, the same again when the walk begins anew', async () => {
    const { oracle, sessions } = await opened(mlp, 'assg');
    const [{ x }] = samplesOf(mlp) as [{ x: Float32Array }];
    const ask = async (more: Partial<Probe>) =>
      (await oracle.gradient([{ of: 0, inputs: { x }, ...more }], [ce(0)])).gradient[0]!.x!.slice();
    const first = await ask({ anew: true });
    const second = await ask({});
    expect(second).not.toEqual(first);
    await oracle.logits([{ of: 0, inputs: { x } }]);
    expect(await ask({ anew: true })).toEqual(first);
    expect(await ask({})).toEqual(second);
    await sessions.release();
  });

  it('of several points in one question, all start from one memory and the last is remembered', async () => {
    const { oracle, sessions } = await opened(mlp, 'assg', 2);
    const [points] = walks(mlp, 4) as [Float32Array[]];
    const ask = async (at: readonly Float32Array[], losses: readonly Loss[], anew = false) =>
      (
        await oracle.gradient(
          at.map((x) => ({ of: 0, inputs: { x }, ...(anew ? { anew } : {}) })),
          losses,
        )
      ).gradient.map(({ x }) => x!.slice());
    const together = await ask(points.slice(0, 3), [ce(0), linear(0), ce(0)], true);
    const after = await ask([points[3]!], [ce(0)]);
    for (const k of [0, 1, 2]) {
      expect(await ask([points[k]!], [k === 1 ? linear(0) : ce(0)], true)).toEqual([together[k]]);
      const next = await ask([points[3]!], [ce(0)]);
      if (k === 2) expect(next).toEqual(after);
      else expect(next).not.toEqual(after);
    }
    await sessions.release();
  });

  it.each([mlp, conv])('$name: the bits of a walk do not depend on batch mates, their order, or how runs are cut', async (c) => {
    const all = walks(c, 3);
    const walk = async (oracle: GradientOracle, order: readonly number[]) => {
      const found = new Map<number, Float32Array[]>();
      for (let k = 0; k < 3; k++) {
        const probes = order.map((of): Probe => ({ of, inputs: { x: all[of]![k]! }, ...(k === 0 ? { anew: true } : {}) }));
        const { gradient } = await oracle.gradient(
          probes,
          order.map((of) => (of === 1 ? margin : ce)(c.labels[of]!)),
        );
        for (const [i, of] of order.entries()) found.set(of, [...(found.get(of) ?? []), gradient[i]!.x!.slice()]);
      }
      return found;
    };
    const { oracle, sessions } = await opened(c, 'assg');
    const whole = await walk(oracle, [0, 1, 2, 3]);
    for (const maxBatch of [1, 2, 3])
      for (const order of [[0, 1, 2, 3], [3, 1, 0, 2], [2]]) {
        const found = await walk(createOracle(sessions, { maxBatch }), order);
        for (const of of order) expect(found.get(of), `sample ${of} of ${order}, runs of ${maxBatch}`).toEqual(whole.get(of));
      }
    await sessions.release();
  });

  it.each([saPgd, pgd, apgd] as unknown as readonly Attack[])(
    '$name: outcomes are the same for any split and order of the batch, after other attacks on the same oracle',
    async (attack) => {
      const { sessions, model } = await opened(mlp, 'assg');
      const threat = { x: lpThreat(model.inputs.x!, { norm: 'linf', eps: 0.4 }) };
      const samples = samplesOf(mlp);
      const options = { ...attack.defaults, steps: 4, restarts: 2, earlyStop: false };
      const run = (oracle: GradientOracle, which: readonly number[]) =>
        attack.run(
          jobOf(
            oracle,
            which.map((b) => sampleOf(`s${b}`, samples[b]!)),
            which.map((b) => untargeted(labelled(b))),
            which.map(() => threat),
          ) as never,
          options,
        );
      const oracle = createOracle(sessions, { maxBatch: 3 });
      const outcomes = await run(oracle, [0, 1, 2, 3]);
      expect(await run(oracle, [0, 1, 2, 3])).toEqual(outcomes);
      expect((await run(createOracle(sessions, { maxBatch: 64 }), [3, 2, 1, 0])).reverse()).toEqual(outcomes);
      for (const b of [0, 1, 2, 3]) expect(await run(createOracle(sessions, { maxBatch: 64 }), [b])).toEqual([outcomes[b]]);
      await sessions.release();
    },
  );

  it('the parts of a suite begin anew, too', async () => {
    const { sessions, model, oracle } = await opened(mlp, 'assg');
    const [sample] = samplesOf(mlp);
    const begun: Probe[] = [];
    const gradient: GradientOracle['gradient'] = (probes, losses) => {
      begun.push(...probes.filter(({ anew }) => anew));
      return oracle.gradient(probes, losses);
    };
    const threat = { x: lpThreat(model.inputs.x!, { norm: 'linf', eps: 0.01 }) };
    const job = jobOf({ ...oracle, gradient }, [sampleOf('a', sample!)], [untargeted(labelled(0))], [threat]);
    const facts = { classes: 3, norms: ['linf'] } as const;
    const options = { steps: 2, targets: 1, queries: 5 };
    await worstCase.run(job, options);
    const parts = worstCase.parts!(options, facts).filter((part) => attackNamed(part.attack).needs === 'gradient');
    expect(parts.length).toBeGreaterThan(1);
    expect(begun.length).toBeGreaterThanOrEqual(parts.length);
    await sessions.release();
  });

  it('a file of the gradient cannot have one, and that is said', async () => {
    const chosen = chooseSpikes(await spikingModel(mlp, runtime), 'assg');
    const made = gradientModel(chosen.model, { execute: runtime.execute, loss: 'ce', ...substitutesFor(chosen.spikes!) });
    await expect(made).rejects.toThrow('remembers the runs before');
  });
});

it.each([
  [{ vanishing: 1 }, 'vanishing is 1, and must lie between 0 and 1'],
  [{ relax: -1 }, 'assg.relax is -1, which is negative'],
  [{ beta1: 1 }, 'beta1 is 1, and must be 0 or more and below 1'],
  [{ beta2: -0.1 }, 'assg.beta2 is -0.1, which is negative'],
  [{ reset: 'stop' }, 'assg.reset is "stop"'],
] as const)('%j is refused: %s', async (given, message) => {
  const model = await spikingModel(mlp, runtime);
  expect(() => chooseSpikes(model, { use: 'assg', ...given })).toThrow(message);
});
