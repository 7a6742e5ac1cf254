/** What a unit makes of a minimum-norm attack, on linear models whose smallest changes are known. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Budget, PlannedAttack } from '../../../src/app/experiment/plan.ts';
import { runUnit } from '../../../src/app/experiment/unit.ts';
import { exampleStore } from '../../../src/app/host/examples.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { InputSpec, Inputs, Model } from '../../../src/kit/model/model.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Attack, Job } from '../../../src/methods/attacks/attack.ts';
import { features, modelOf } from '../../kit/model/toys.ts';

const runtime = createRuntime(ort, { threads: 1 });
const n = 10;
const byte: Partial<InputSpec> = { bounds: { lower: 0, upper: 1 }, storage: 'uint8' };

/** Class 1 where the mean of the values, in steps of 1/255, rises by more than `threshold` over that of the sample. */
function meanModel(threshold: number, spec: InputSpec): Model {
  const g = graphBuilder();
  const x = g.input('x', ['N', n]);
  const w = Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 0 : 255 / n));
  g.op('Gemm', [x, g.constant(f32(w, [n, 2])), g.constant(f32([0, -(100 + threshold)], [2]))], {}, 'logits');
  g.output('logits', ['N', 2]);
  return modelOf(g.build(), { x: spec }, 2);
}

const original: Inputs = { x: new Float32Array(n).fill(Math.fround(100 / 255)) };

/** Proposes `make(x)` whatever it is asked, after `queries` questions. */
const proposing = (
  kind: Attack['kind'],
  make: (x: Float32Array) => Float32Array,
  seen: Job<'scores'>[] = [],
  queries = 3,
): Attack =>
  ({
    name: 'proposing',
    title: '',
    needs: 'scores',
    kind,
    norms: ['linf', 'l2', 'l1', 'l0'],
    modalities: 'any',
    targeted: false,
    defaults: {},
    about: {},
    passes: () => ({ forwards: queries, backwards: 0 }),
    paper: '',
    async run(job: Job<'scores'>) {
      seen.push(job);
      for (let q = 0; q < queries; q++) await job.oracle.logits(job.batch.map(({ inputs }, of) => ({ of, inputs })));
      return job.batch.map(({ inputs }) => ({
        status: 'success' as const,
        inputs: { x: make(inputs.x!) },
        foundAt: 2,
        by: 'one',
        trace: { queries: [1, 2], lead: [1, -1], best: [null, 0.5] },
      }));
    },
  }) as unknown as Attack;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provoke-unit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsOf(
  model: Model,
  attack: Attack,
  norm: Norm,
  budgets: readonly number[],
  queries?: number,
  samples: readonly Inputs[] = [original],
): Promise<readonly Row[]> {
  const sessions = openSessions(model, runtime);
  const planned: PlannedAttack = { label: attack.name, attack, options: {} };
  try {
    const { rows } = await runUnit({
      model,
      oracle: (queryBudget) => createOracle(sessions, { maxBatch: 4, ...(queryBudget === undefined ? {} : { queryBudget }) }),
      samples: samples.map((inputs, i) => ({ id: `${i}`, group: `${i}`, label: 0, inputs })),
      problems: [],
      planned,
      budgets: budgets.map((eps): Budget => ({ norm: { x: norm }, eps: { x: eps } })),
      goal: { kind: 'untargeted' },
      seed: 0,
      ...(queries === undefined ? {} : { queries }),
      examples: exampleStore(folder, model),
      signal: new AbortController().signal,
      progress: () => undefined,
    });
    return rows;
  } finally {
    await sessions.release();
  }
}

const steps = (...counts: number[]): number[] => counts.map((k) => k / 255);
const raised = (by: number) => (x: Float32Array) => x.map((value) => value + by / 255);

describe('a minimum-norm attack in a unit', () => {
  it('runs once, with the largest budget, and what it costs stands in the rows of the first', async () => {
    const seen: Job<'scores'>[] = [];
    const rows = await rowsOf(
      meanModel(2.2, features([n], 'NC', byte)),
      proposing('minimal', raised(2.3), seen),
      'linf',
      steps(1, 3, 8),
    );
    expect(seen).toHaveLength(1);
    expect(seen[0]!.threats[0]!.x!.eps).toBe(8 / 255);
    expect(rows.map((r) => r.status)).toEqual(['failure', 'success', 'success']);
    expect(rows.map((r) => r.forwards)).toEqual([3, 0, 0]);
    expect(rows.map((r) => r.queries)).toEqual([3, 0, 0]);
    expect(rows.map((r) => r.trace?.best)).toEqual([[null, 0.5], undefined, undefined]);
    expect(rows.map((r) => [r.foundAt, r.by])).toEqual([
      [2, 'one'],
      [2, 'one'],
      [2, 'one'],
    ]);
    for (const row of rows) expect(row.distance).toBeCloseTo(2.3 / 255, 7);
  });

  it('a bounded one runs at every budget, until it succeeds', async () => {
    const seen: Job<'scores'>[] = [];
    const rows = await rowsOf(
      meanModel(2.2, features([n], 'NC', byte)),
      proposing('bounded', raised(1), seen),
      'linf',
      steps(1, 3, 8),
    );
    expect(seen.map((job) => job.threats[0]!.x!.eps)).toEqual(steps(1, 3, 8));
    expect(rows.map((r) => r.forwards)).toEqual([3, 3, 3]);
    expect(rows.map((r) => r.distance)).toEqual([null, null, null]);
  });

  it('is lengthened where rounding undoes it and the budget leaves room: 2.3 steps become 3, not more; inside 2.4 steps there is no way', async () => {
    const rows = await rowsOf(
      meanModel(2.2, features([n], 'NC', byte)),
      proposing('minimal', raised(2.3)),
      'linf',
      steps(2, 2.4, 6),
    );
    expect(rows.map((r) => r.status)).toEqual(['failure', 'failure', 'success']);
    expect(rows.map((r) => r.floatSuccess)).toEqual([false, true, true]);
    expect(rows[2]!.norms.x!.linf).toBeCloseTo(3 / 255, 7);
  });

  it.each(['l2', 'l1'] as const)('a change far below a step per value survives in %s, inside its budget', async (norm) => {
    const size = norm === 'l2' ? (0.06 * Math.sqrt(n)) / 255 : (0.06 * n) / 255;
    const budget = { l2: 3 / 255, l1: 8 / 255 }[norm];
    const rows = await rowsOf(meanModel(0.05, features([n], 'NC', byte)), proposing('minimal', raised(0.06)), norm, [
      size / 2,
      budget,
    ]);
    expect(rows.map((r) => r.status)).toEqual(['failure', 'success']);
    expect(rows[1]!.distance).toBeCloseTo(size, 7);
    expect(rows[1]!.norms.x![norm]).toBeGreaterThan(size);
    expect(rows[1]!.norms.x![norm]).toBeLessThanOrEqual(budget * (1 + 1e-9));
  });

  it('in l0 the values that change may change further, up to the bounds', async () => {
    const one = (x: Float32Array) => x.map((value, i) => (i === 4 ? value + 10.4 / 255 : value));
    const rows = await rowsOf(meanModel(1.03, features([n], 'NC', byte)), proposing('minimal', one), 'l0', [0, 1]);
    expect(rows.map((r) => r.status)).toEqual(['failure', 'success']);
    expect(rows[1]!.norms.x!.l0).toBe(1);
    expect(rows[1]!.norms.x!.linf).toBeCloseTo(11 / 255, 7);
    expect(rows[1]!.distance).toBe(1);
  });

  it('is kept as it is where nothing is rounded', async () => {
    const rows = await rowsOf(meanModel(2.2, features([n])), proposing('minimal', raised(2.3)), 'linf', steps(2.2, 2.4));
    expect(rows.map((r) => r.status)).toEqual(['failure', 'success']);
    expect(rows[1]!.norms.x!.linf).toBe(rows[1]!.distance);
  });

  it('has no distance where its example does not fool the model, and is not mended', async () => {
    const rows = await rowsOf(meanModel(2.2, features([n], 'NC', byte)), proposing('minimal', raised(1.5)), 'linf', steps(1, 8));
    expect(rows.map((r) => [r.status, r.distance, r.floatSuccess])).toEqual([
      ['failure', null, false],
      ['failure', null, false],
    ]);
  });
});

describe('a query limit', () => {
  it('is told to the attack, and the oracle answers no more than that', async () => {
    const seen: Job<'scores'>[] = [];
    const model = meanModel(2.2, features([n]));
    const rows = await rowsOf(model, proposing('bounded', raised(1), seen), 'linf', steps(1, 2), 3);
    expect(seen.map((job) => job.queries)).toEqual([[3], [3]]);
    expect(rows.map((r) => r.queries)).toEqual([3, 3]);
  });

  it('an attack that asks for more loses the samples for which it does, not the run', async () => {
    const model = meanModel(2.2, features([n]));
    const patient = proposing('bounded', raised(3));
    // asks once more about samples that are brighter than the original
    const greedy = {
      ...patient,
      async run(job: Job<'scores'>) {
        const outcomes = await patient.run(job, {});
        const bright = job.batch.flatMap(({ inputs }, of) => (inputs.x![0]! > original.x![0]! ? [{ of, inputs }] : []));
        if (bright.length > 0) await job.oracle.logits(bright);
        return outcomes;
      },
    } as unknown as Attack;
    const bright = { x: original.x!.map((value) => value + 1 / 255) };
    const rows = await rowsOf(model, greedy, 'linf', steps(3), 3, [original, bright, original]);
    expect(rows.map((r) => r.status)).toEqual(['success', 'invalid', 'success']);
    expect(rows[1]!.reason).toContain('attack proposing asked more than the 3 queries a sample may cost');
    expect(rows.map((r) => r.queries)).toEqual([3, 3, 3]);
    expect((await rowsOf(model, greedy, 'linf', steps(3), 3, [original]))[0]).toMatchObject({ status: 'success', queries: 3 });
  });
});
