/** @file What must hold of attacks made of attacks: order, survivors, budgets, counts, and what is said of them. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Outcome } from '../../../src/kit/record/outcome.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Attack, Job } from '../../../src/methods/attacks/attack.ts';
import { autoattack, worstCase } from '../../../src/methods/attacks/index.ts';
import { cascade, type SuitePart } from '../../../src/methods/attacks/suites/cascade.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const n = 12;
const samples = Array.from({ length: 5 }, (_, k) => {
  const random = stream('suite', k);
  return sampleOf(`s${k}`, { x: Float32Array.from({ length: n }, () => random.uniform()) });
});

/** A job over linear classes; a lead of the right class no attack can take away makes every part run to its end. */
async function scene({ classes = 5, norm = 'linf' as Norm, eps = 0.05, lead = 0, which = [0, 1, 2, 3, 4] } = {}) {
  const weights = randomWeights(classes, n, 'suite');
  const probe = linearOracle({ x: weights }, new Array(classes).fill(0));
  const batch = which.map((k) => samples[k]!);
  const labels = await probe.labels(batch.map(({ inputs }, of) => ({ of, inputs })));
  const oracle =
    lead === 0
      ? linearOracle({ x: weights }, new Array(classes).fill(0))
      : linearOracle(
          { x: weights.map((row) => row.map(() => 0)) },
          Array.from({ length: classes }, (_, c) => (c === 0 ? lead : -c)),
        );
  const goals = lead === 0 ? labels.map(untargeted) : labels.map(() => untargeted(0));
  return {
    oracle,
    job: jobOf(
      oracle,
      batch,
      goals,
      batch.map(() => ({ x: lpThreat(specOf([n]), { norm, eps }) })),
    ),
  };
}

/** An attack that proposes what it is told, and asks for the logits of the original that often. */
const scripted = (answer: (id: string, x: Float32Array) => Outcome, asks = 1): Attack => ({
  ...(autoattack as unknown as Attack),
  name: 'scripted',
  needs: 'scores',
  passes: () => ({ forwards: asks, backwards: 0 }),
  async run(job) {
    const { batch, oracle } = job as Job<'scores'>;
    for (let k = 0; k < asks; k++) await oracle.logits(batch.map(({ inputs }, of) => ({ of, inputs })));
    return batch.map(({ id, inputs }) => answer(id, inputs.x!));
  },
});
const scriptedPart = (name: string, attack: Attack): SuitePart => ({ name, attack, options: {} });
const moved = (x: Float32Array, by: number): Outcome => ({
  status: 'success',
  foundAt: 1,
  inputs: { x: x.map((v, i) => (i === 0 ? v + by : v)) },
});
const stand: Outcome = { status: 'failure' };

describe('a cascade', () => {
  it('gives each part what the ones before left standing, and says who found what, after how many queries', async () => {
    const { oracle, job } = await scene();
    const seen: string[][] = [];
    const watch = (wins: string, asks: number) =>
      scripted((id, x) => {
        seen.at(-1)!.push(id);
        return id === wins ? moved(x, 0.01) : stand;
      }, asks);
    const part = (name: string, wins: string, asks: number) => {
      const attack = watch(wins, asks);
      return scriptedPart(name, {
        ...attack,
        run: (j, o) => {
          seen.push([]);
          return attack.run(j, o);
        },
      });
    };
    const outcomes = await cascade(job, [part('one', 's1', 3), part('two', 's3', 2)]);
    expect(seen).toEqual([
      ['s0', 's1', 's2', 's3', 's4'],
      ['s0', 's2', 's3', 's4'],
    ]);
    expect(outcomes.map(({ by }) => by)).toEqual([undefined, 'one', undefined, 'two', undefined]);
    expect(outcomes.map(({ foundAt }) => foundAt)).toEqual([undefined, 1, undefined, 4, undefined]);
    expect([0, 1, 2, 3, 4].map((of) => oracle.counts(of).queries)).toEqual([5, 3, 5, 5, 5]);
  });

  it('takes no example beyond the budget: a minimum-norm part may propose one', async () => {
    const { job } = await scene({ eps: 0.05 });
    const outcomes = await cascade(job, [
      scriptedPart(
        'far',
        scripted((_, x) => moved(x, 0.0502)),
      ),
      scriptedPart(
        'near',
        scripted((_, x) => moved(x, 0.0499)),
      ),
    ]);
    expect(outcomes.map(({ by }) => by)).toEqual(new Array(5).fill('near'));
  });

  it('vouches for a sample only where every part could judge it', async () => {
    const { job } = await scene();
    const broken = scripted((id) => (id === 's2' ? { status: 'invalid', reason: 'the gradient is not finite' } : stand));
    const [, , outcome, other] = await cascade(job, [
      scriptedPart('white', broken),
      scriptedPart(
        'black',
        scripted(() => stand),
      ),
    ]);
    expect(outcome).toMatchObject({ status: 'invalid', reason: 'white: the gradient is not finite' });
    expect(other!.status).toBe('failure');
    const [, , found] = await cascade(job, [
      scriptedPart('white', broken),
      scriptedPart(
        'black',
        scripted((_, x) => moved(x, 0.01)),
      ),
    ]);
    expect(found).toMatchObject({ status: 'success', by: 'black' });
  });

  it('keeps to the queries each sample has', async () => {
    const { oracle, job } = await scene({ lead: 100 });
    await autoattack.run({ ...job, queries: [0, 1, 50, 150, 1000] }, autoattack.defaults);
    const spent = [0, 1, 2, 3, 4].map((of) => oracle.counts(of).queries);
    expect(spent.slice(0, 4)).toEqual([0, 1, 50, 150]);
    expect(spent[4]).toBeLessThanOrEqual(1000);
    expect(spent[4]).toBeGreaterThan(900);
  });
});

const suites = [
  ['autoattack', autoattack as unknown as Attack, ['linf', 'l2'], 5],
  ['worst-case', worstCase as unknown as Attack, ['linf', 'l2', 'l1', 'l0'], 2],
  ['worst-case', worstCase as unknown as Attack, ['linf', 'l2', 'l1'], 3],
] as const;
const budgets: Readonly<Record<Norm, number>> = { linf: 0.12, l2: 0.4, l1: 1.2, l0: 2 };
const cases = suites.flatMap(([name, suite, norms, classes]) => norms.map((norm) => [name, norm, classes, suite] as const));

describe.each(cases)('%s in %s with %i classes', (_, norm, classes, suite) => {
  it('finds examples inside budget and bounds, the same bits for any split and order of the batch (D18)', async () => {
    const eps = budgets[norm] * (classes === 2 ? 3 : 1);
    const options = { classes, norm, eps };
    const { job } = await scene(options);
    const all = await suite.run(job, suite.defaults);
    expect(all.some(({ status }) => status === 'success')).toBe(true);
    for (const [k, { inputs, status }] of all.entries()) {
      if (status !== 'success') continue;
      const delta = inputs!.x!.map((value, i) => value - samples[k]!.inputs.x![i]!);
      expect(job.threats[k]!.x!.size(delta)).toBeLessThanOrEqual(eps * (1 + 1e-6) + 1e-6);
      expect(inputs!.x!.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
    const some = await suite.run((await scene({ ...options, which: [4, 1] })).job, suite.defaults);
    expect(some).toEqual([all[4], all[1]]);
  });
});

it('in l0 the part that sees scores alone keeps to the queries given', async () => {
  const { oracle, job } = await scene({ classes: 3, norm: 'l0', eps: 2, lead: 100 });
  const options = { ...worstCase.defaults, queries: 300 };
  await worstCase.run(job, options);
  const white = worstCase.parts!(options, { classes: 3, norms: ['l0'] }).filter(({ name }) => name !== 'few-pixel');
  expect(white.map(({ name }) => name)).toEqual(['sigma-zero', 'fmn']);
  expect(oracle.counts(0).queries).toBe(1000 + 100 + 300);
});

describe('what is said of a suite', () => {
  const facts = { classes: 7, norms: ['linf'] } as const;

  it("AutoAttack's parts have the original's numbers of steps and queries (D1)", () => {
    const parts = autoattack.parts!(autoattack.defaults, facts);
    expect(parts.map(({ name, options }) => [name, options.steps ?? options.queries, options.restarts])).toEqual([
      ['apgd-ce', 100, 1],
      ['apgd-t', 100, 1],
      ['fab-t', 100, 1],
      ['square', 5000, 1],
    ]);
    const plus = autoattack.parts!({ ...autoattack.defaults, version: 'plus' }, facts);
    expect(plus.map(({ name, options }) => [name, options.restarts])).toEqual([
      ['apgd-ce', 5],
      ['apgd-dlr', 5],
      ['fab', 5],
      ['square', 1],
      ['apgd-t', 1],
      ['fab-t', 1],
    ]);
    const rand = autoattack.parts!({ ...autoattack.defaults, version: 'rand' }, facts);
    expect(rand.map(({ name, options }) => [name, options.draws])).toEqual([
      ['apgd-ce', 20],
      ['apgd-dlr', 20],
    ]);
  });

  it.each([
    ['autoattack', autoattack as unknown as Attack, 5],
    ['worst-case', worstCase as unknown as Attack, 3],
  ] as const)(
    '%s asks of a sample that stands exactly what it announces, so its effective steps are those it lists (D1)',
    async (_, suite, classes) => {
      const { oracle, job } = await scene({ classes, lead: 100 });
      const outcomes = await suite.run(job, suite.defaults);
      expect(outcomes.map(({ status }) => status)).toEqual(new Array(5).fill('failure'));
      const { forwards, backwards } = oracle.counts(0);
      const most = suite.passes(suite.defaults, { classes, norms: ['linf'] });
      expect(forwards).toBeLessThanOrEqual(most.forwards);
      expect(backwards).toBeLessThanOrEqual(most.backwards);
    },
  );

  it('the losses follow from the number of classes', () => {
    const names = (classes: number) =>
      worstCase.parts!(worstCase.defaults, { classes, norms: ['linf'] }).map(({ name, options }) => [name, options.loss]);
    expect(names(2).slice(0, 2)).toEqual([
      ['apgd-ce', 'ce'],
      ['apgd-margin', 'margin'],
    ]);
    expect(names(3).slice(0, 3)).toEqual([
      ['apgd-ce', 'ce'],
      ['apgd-dlr', 'dlr'],
      ['apgd-t', 'targeted-margin'],
    ]);
    expect(names(4).slice(0, 2)).toEqual([
      ['apgd-ce', 'ce'],
      ['apgd-t', 'targeted'],
    ]);
  });

  it('AutoAttack refuses what it is not defined for, and says what to use', async () => {
    const { job } = await scene({ classes: 3 });
    await expect(() => autoattack.run(job, autoattack.defaults)).toThrow(/at least 4 classes, the model has 3/);
    const { job: steady } = await scene();
    expect(() => autoattack.run(steady, { ...autoattack.defaults, version: 'rand' })).toThrow(/draws none/);
  });
});
