import { describe, expect, it } from 'vitest';
import { compareRuns, type Run, worstCase } from '../../../src/app/experiment/compare.ts';
import type { RunRecord } from '../../../src/app/experiment/results.ts';
import { attacks, courseRows, distanceOf } from '../report/course-fixture.ts';

const record = {
  state: 'finished',
  experiment: { goal: 'untargeted' },
  model: { name: 'm', sha256: 'm' },
  data: { name: 'faces', sha256: 'a'.repeat(64), labelled: true },
  attacks: attacks.map((attack) => ({ ...attack, label: attack.name })),
} as unknown as RunRecord;

const run = (name: string, change: Partial<Run> = {}): Run => ({ name, record, rows: courseRows(), ...change });

/** The second run: nothing is broken there that its own noise did not break. */
const hardened = run('hardened', {
  rows: courseRows().map((row) => (row.attack === 'pgd' && row.status === 'success' ? { ...row, status: 'failure' } : row)),
});

describe('two runs', () => {
  it('are compared attack by attack, budget by budget, and in the worst case', () => {
    const { samples, attacks: compared, notes } = compareRuns(run('plain'), hardened);
    expect(samples).toBe(12);
    expect(notes).toEqual(['12 samples are few for a bootstrap: its intervals are too narrow, go by p']);
    expect(compared.map(({ first }) => first)).toEqual(['noise', 'pgd', 'ddn', 'boundary', 'autoattack', worstCase]);
    const pgd = compared.find(({ first }) => first === 'pgd')!;
    expect(pgd.budgets.map(({ eps }) => eps)).toEqual([1, 2, 4, 8].map((k) => k / 255));
    const broken = courseRows().filter(
      (row) => row.attack === 'pgd' && row.eps.input === 8 / 255 && row.status === 'success',
    ).length;
    expect(pgd.budgets[3]).toMatchObject({ n: 12, onlyFirst: 0, onlySecond: broken, first: (11 - broken) / 12, second: 11 / 12 });
    for (const attack of compared.filter(({ first }) => first !== 'pgd' && first !== worstCase))
      for (const { difference, p } of attack.budgets) expect([difference, p]).toEqual([0, 1]);
    expect(pgd.cost!.first.queries).toBeCloseTo(4 * 42, 10);
  });

  it('match samples by name, and say how many are in one only and what else differs', () => {
    const some = run('some', {
      rows: courseRows().filter(({ sample, eps }) => sample > 'face-04' && eps.input! < 0.03),
      record: { ...record, model: { ...record.model, name: 'other', sha256: 'x' }, state: 'partial' },
    });
    const found = compareRuns(run('plain'), some);
    expect(found).toMatchObject({ samples: 8, onlyFirst: 4, onlySecond: 0 });
    expect(found.notes).toEqual([
      '8 samples are few for a bootstrap: its intervals are too narrow, go by p',
      'the models differ: m and other',
      'budgets of plain that are not in the other run: 1',
      'some is partial: shards are missing',
    ]);
    expect(found.attacks[0]!.budgets).toHaveLength(3);
  });

  it('are refused over other data, goals, budgets, samples or attacks', () => {
    const plain = run('plain');
    const other = (change: object): Run => run('other', { record: { ...record, ...change } as RunRecord });
    expect(() => compareRuns(plain, other({ data: { ...record.data, name: 'voices', sha256: 'b'.repeat(64) } }))).toThrow(
      'the runs are over different data: plain over faces (sha256 aaaaaaaaaaaa), other over voices (bbbbbbbbbbbb)',
    );
    expect(() => compareRuns(plain, other({ experiment: { goal: { targeted: 'sad' } } }))).toThrow(
      'the runs have different goals: untargeted and targeted: sad',
    );
    const larger = plain.rows.map((row) => ({ ...row, eps: { input: 0.5 } }));
    expect(() => compareRuns(plain, run('other', { rows: larger }))).toThrow(
      'the runs have no budget in common: plain has input linf 0.00392157, input linf 0.00784314, input linf 0.0156863, input linf 0.0313725; other has input linf 0.5',
    );
    expect(() =>
      compareRuns(plain, run('other', { rows: plain.rows.map((row) => ({ ...row, sample: `x${row.sample}` })) })),
    ).toThrow('plain and other have no sample in common');
    expect(() => compareRuns(plain, run('other'), [['pgd', 'pgdd']])).toThrow('other has no attack "pgdd"');
  });
});

describe('two attacks of one run', () => {
  it('have distances where both look for the smallest change', () => {
    const plain = run('plain');
    const { attacks: compared } = compareRuns(plain, plain, [['ddn', 'boundary']]);
    expect(compared).toHaveLength(1);
    const attacked = Array.from({ length: 12 }, (_, i) => i).filter((i) => i !== 3);
    const { distances } = compared[0]!;
    expect(distances).toMatchObject({ n: 11, firstSmaller: 11, secondSmaller: 0, p: expect.closeTo(2 / 2 ** 11, 12) });
    for (const attack of ['ddn', 'boundary'] as const) {
      const sorted = attacked.map((i) => distanceOf(i, attack)).sort((a, b) => a - b);
      expect(distances![attack === 'ddn' ? 'first' : 'second'] * 255).toBeCloseTo(sorted[5]!, 10);
    }
    expect(compareRuns(plain, plain, [['pgd', 'ddn']]).attacks[0]!.distances).toBeUndefined();
  });
});
