/** mode reference against the golden traces: everything the search asked is read back into the trace of the paper's algorithm, and must be it exactly. */
import { describe, expect, it } from 'vitest';
import { leadOf } from '../../../src/kit/losses/loss.ts';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { sda } from '../../../src/methods/attacks/sda.ts';
import { networkOf } from '../../oracles/spiking/network.ts';
import { jobOf, untargeted } from './linear.ts';
import { type Asked, differing, frameShape, type Iteration, type SdaCase, sceneOf, sdaCases } from './spiking-cases.ts';

async function runOf(of: SdaCase) {
  const { oracle, batch, goals, threats } = sceneOf(of);
  const options = { ...sda.defaults, mode: 'reference', k: of.sda.kInit, iterations: of.sda.maxIterations };
  const [outcome] = await sda.run(jobOf(oracle, batch, goals, threats), options);
  return { outcome: outcome!, asked: oracle.asked };
}

/** What was asked, from one gradient to the next; the first question is the clean point, the last group may go on with the reduction. */
function iterations(asked: readonly Asked[], label: number, k: number): { trace: Iteration[]; rest: Asked[] } {
  const lead = (z: Float32Array): number => Math.max(0, leadOf(untargeted(label), z));
  const trace: Iteration[] = [];
  let mask: number[] = [];
  const clean = asked[0]!.points[0]!;
  let before = asked[0]!.logits[0]!;
  let at = 1;
  while (asked[at]?.ask === 'gradient') {
    const base = asked[at]!.points[0]!;
    at++;
    const wanted = Math.min((trace.length + 1) * k, clean.length - mask.length);
    const candidates: number[] = [];
    const leads: number[] = [];
    while (candidates.length < wanted) {
      const { points, logits } = asked[at++]!;
      expect(points.length).toBeLessThanOrEqual(64);
      points.forEach((x, p) => {
        const changed = differing(x, base);
        expect(changed).toHaveLength(1);
        candidates.push(changed[0]!);
        leads.push(lead(logits[p]!));
      });
    }
    const joint = asked[at++]!;
    const now = differing(joint.points[0]!, clean);
    trace.push({
      iteration: trace.length,
      k: wanted,
      marginBefore: lead(before),
      candidates,
      finiteDifferences: leads.map((value) => value - lead(before)),
      accepted: candidates.filter((i) => now.includes(i)),
      maskSize: now.length,
      predictedAfter: argmax(joint.logits[0]!),
    });
    mask = now;
    before = joint.logits[0]!;
  }
  return { trace, rest: asked.slice(at) };
}

describe.each(sdaCases.map((of) => [of.name, of] as const))('%s', (_, of) => {
  const { expected, label, input, sda: settings } = of;

  it('has the golden logits and gradient (the float64 network of the tests)', () => {
    const network = networkOf(of.layers, of.T, frameShape(of));
    const z = network.forward(input);
    expect(Array.from(z)).toEqual(expected.cleanLogits);
    const rival = argmax(z.map((value, c) => (c === label ? Number.NEGATIVE_INFINITY : value)));
    const g = network.backward(z.map((__, c) => (c === label ? 1 : c === rival ? -1 : 0)));
    for (const [i, value] of expected.gradInput.entries()) expect(Math.abs(g[i]! - value)).toBeLessThan(1e-10);
  });

  it('asks for the golden candidates, accepts the golden flips, probes and restores as the golden reduction does', async () => {
    const { outcome, asked } = await runOf(of);
    const { trace, rest } = iterations(asked, label, settings.kInit);
    expect(trace).toEqual(expected.trace);
    const full = asked[asked.length - rest.length - 1]!.points[0]!;
    expect(differing(full, input)).toEqual(expected.generationFlips);
    const { reduction } = expected;
    expect(rest).toHaveLength(reduction?.probes.length ?? 0);
    for (const [p, { undone, adversarial }] of (reduction?.probes ?? []).entries()) {
      const { points, logits } = rest[p]!;
      const restored = reduction!.orderByAbsFiniteDifference.slice(0, undone).sort((a, b) => a - b);
      expect(differing(points[0]!, full)).toEqual(restored);
      expect(argmax(logits[0]!) !== label).toBe(adversarial);
    }
    expect(outcome.status).toBe(expected.success ? 'success' : 'failure');
    expect(outcome.inputs === undefined ? [] : differing(outcome.inputs.x!, input)).toEqual(expected.flips);
  });
});
