/** @file Against foolbox and torchattacks. One oracle feeds both: what the peers' network answered is replayed step by step; then end to end on our own gradients. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Inputs } from '../../../src/kit/model/model.ts';
import type { GradientOracle, Probe } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { attackNamed, readOptions } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, sampleOf, untargeted } from './linear.ts';
import { measured } from './measured.ts';

interface Case {
  readonly peer: string;
  readonly attack: string;
  readonly norm: Norm;
  readonly eps: number;
  readonly alpha: number;
  readonly steps: number;
  /** Per step, what the peer saw: [4, 3, 8, 8]. */
  readonly gradients: readonly string[];
  readonly final: string;
  readonly predictions: readonly number[];
}

const folder = new URL('../../fixtures/attacks/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('peers.json', folder), 'utf8')) as {
  readonly versions: Readonly<Record<string, string>>;
  readonly images: string;
  readonly labels: readonly number[];
  readonly logits: string;
  readonly cases: readonly Case[];
};

/** One array per sample. */
function samplesIn(base64: string): Float32Array[] {
  const bytes = Buffer.from(base64, 'base64');
  const all = new Float32Array(new Uint8Array(bytes).buffer);
  const n = all.length / golden.labels.length;
  return golden.labels.map((_, k) => all.slice(k * n, (k + 1) * n));
}

const batch = samplesIn(golden.images).map((image, k) => sampleOf(`image ${k}`, { image }));
const goals = golden.labels.map(untargeted);
const spec = specOf([3, 8, 8], { modality: 'image' });
const threatsOf = ({ norm, eps }: Case) => batch.map(() => ({ image: lpThreat(spec, { norm, eps }) }));

/** The peer's steps: no random start, no early stop. */
function optionsOf({ attack, alpha, steps }: Case) {
  const given = attack === 'fgsm' ? {} : { alpha, steps, earlyStop: false, ...(attack === 'pgd' ? { randomStart: false } : {}) };
  return readOptions(attackNamed(attack), given);
}

/** Answers with the recorded gradients in order, and says "still right", so that nobody leaves; `last` holds the points asked about last. */
function replaying({ gradients }: Case): GradientOracle & { readonly last: Map<number, Inputs> } {
  const last = new Map<number, Inputs>();
  let step = 0;
  const logits = (probes: readonly Probe[]): Float32Array[] =>
    probes.map(({ of, inputs }) => {
      last.set(of, inputs);
      return Float32Array.from({ length: 5 }, (_, c) => (c === golden.labels[of] ? 1 : 0));
    });
  return {
    last,
    classes: 5,
    counts: () => ({ forwards: 0, backwards: 0, queries: 0 }),
    labels: async (probes) => probes.map(({ of }) => golden.labels[of]!),
    logits: async (probes) => logits(probes),
    async gradient(probes) {
      const recorded = samplesIn(gradients[step++]!);
      return { loss: probes.map(() => 0), logits: logits(probes), gradient: probes.map(({ of }) => ({ image: recorded[of]! })) };
    },
  };
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

const named = golden.cases.map((golden) => [golden.attack, golden.norm, golden.peer, golden] as const);

describe.each(named)('%s in %s as %s', (_, norm, __, recorded) => {
  it('ends at the same image when fed the same gradients', async () => {
    const oracle = replaying(recorded);
    await attackNamed(recorded.attack).run(jobOf(oracle, batch, goals, threatsOf(recorded)), optionsOf(recorded));
    samplesIn(recorded.final).forEach((final, k) => {
      expect(worst(final, batch[k]!.inputs.image!)).toBeGreaterThan(norm === 'linf' ? 0.06 : 0.1);
      expect(
        measured({
          attack: recorded.attack,
          peer: `${recorded.peer} ${golden.versions[recorded.peer]}`,
          what: `${norm}: end of ${recorded.steps} steps fed the peer's gradients, largest element apart`,
          value: worst(oracle.last.get(k)!.image!, final),
          allowed: norm === 'linf' ? '< 1e-6' : '< 1e-5',
        }),
      ).toBeLessThan(norm === 'linf' ? 1e-6 : 1e-5);
    });
  });
});

describe('on our own gradients of the same network', () => {
  const runtime = createRuntime(ort);
  const graph = readModel(readFileSync(new URL('model.onnx', folder)));
  const sessions = openSessions(
    {
      name: 'smooth',
      graph: { ...graph, outputs: [...graph.outputs, { name: 'logits', dtype: 'float32', dims: ['N', 5] }] },
      inputs: { image: { ...spec, layout: 'NCHW' } },
      classes: ['a', 'b', 'c', 'd', 'e'],
      output: { name: 'probabilities', kind: 'probabilities', logits: 'logits' },
      coupling: 'none',
      inferred: [],
      sha256: '',
    },
    runtime,
  );
  afterAll(() => sessions.release());

  it('the logits are those of the peers', async () => {
    const logits = await createOracle(sessions, { maxBatch: 4 }).logits(batch.map(({ inputs }, of) => ({ of, inputs })));
    samplesIn(golden.logits).forEach((expected, k) => {
      expect(worst(logits[k]!, expected)).toBeLessThan(1e-5);
    });
  });

  it.each(named)('%s in %s as %s: the same samples fall, at the same distance', async (_, norm, __, recorded) => {
    const oracle = createOracle(sessions, { maxBatch: 3 });
    const attack = attackNamed(recorded.attack);
    const outcomes = await attack.run(jobOf(oracle, batch, goals, threatsOf(recorded)), optionsOf(recorded));
    const fell = recorded.predictions.map((prediction, k) => prediction !== golden.labels[k]);
    expect(outcomes.map(({ status }) => status === 'success')).toEqual(fell);
    const measure = lpThreat(spec, { norm, eps: recorded.eps });
    samplesIn(recorded.final).forEach((final, k) => {
      const { inputs } = outcomes[k]!;
      if (!inputs) return;
      const size = (x: Float32Array) => measure.size(x.map((value, i) => value - batch[k]!.inputs.image![i]!));
      expect(Math.abs(size(inputs.image!) - size(final))).toBeLessThan(1e-3 * recorded.eps);
    });
  });
});
