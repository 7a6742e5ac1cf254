import { describe, expect, it } from 'vitest';
import { confusion, summarise } from '../../../src/kit/metrics/summary.ts';
import type { Status } from '../../../src/kit/record/outcome.ts';
import type { Row } from '../../../src/kit/record/row.ts';

function row(sample: string, attack: string, eps: number, status: Status, changes: Partial<Row> = {}): Row {
  const skipped = status === 'skipped';
  return {
    sample,
    group: sample,
    label: 0,
    cleanPrediction: skipped ? 1 : 0,
    attack,
    norm: { image: 'linf' },
    eps: { image: eps },
    status,
    prediction: skipped || status === 'success' ? 1 : 0,
    floatSuccess: status === 'success',
    norms: { image: { linf: eps, l2: 2 * eps, l1: 3 * eps, l0: 4 } },
    distance: null,
    cleanProbabilities: [1, 0],
    probabilities: [1, 0],
    forwards: 1,
    backwards: 1,
    queries: 1,
    seconds: 0,
    ...changes,
  };
}

const table = (attack: string, eps: number, statuses: Readonly<Record<string, Status>>): Row[] =>
  Object.entries(statuses).map(([sample, status]) => row(sample, attack, eps, status));

describe('a cell', () => {
  const rows = table('pgd', 0.1, { a: 'success', b: 'success', c: 'failure', d: 'skipped', e: 'invalid' });
  const { n, cleanAccuracy, cells } = summarise(rows);

  it('counts: robust = failure / (n - invalid), success rate = success / (success + failure)', () => {
    expect(n).toBe(5);
    expect(cleanAccuracy).toBe(4 / 5);
    expect(cells).toHaveLength(1);
    expect(cells[0]).toMatchObject({
      attack: 'pgd',
      norm: 'linf',
      eps: 0.1,
      n: 5,
      success: 2,
      failure: 1,
      skipped: 1,
      invalid: 1,
    });
    expect(cells[0]!.robustAccuracy).toBe(1 / 4);
    expect(cells[0]!.attackSuccessRate).toBe(2 / 3);
    expect(cells[0]!.meanNorm).toBe(0.1);
  });

  it('takes clean answers from whichever attack got one: a crash before the clean pass is no answer, right or wrong', () => {
    const lost = { label: -1, cleanPrediction: -1 };
    const both = [row('a', 'own', 0.1, 'invalid', lost), row('a', 'pgd', 0.1, 'skipped'), row('b', 'own', 0.1, 'invalid', lost)];
    expect(summarise(both)).toMatchObject({ n: 2, cleanAccuracy: 0, cleanAccuracyInterval: [0, expect.closeTo(0.7935, 4)] });
  });

  it('has no success rate and no mean where nothing was attacked', () => {
    const cell = summarise(table('pgd', 0.1, { a: 'skipped', b: 'skipped' })).cells[0]!;
    expect(cell).toMatchObject({ attackSuccessRate: null, attackSuccessRateInterval: null, meanNorm: null, robustAccuracy: 0 });
  });

  it('has no robust accuracy where nothing could be judged', () => {
    expect(summarise(table('pgd', 0.1, { a: 'invalid' })).cells[0]!.robustAccuracy).toBeNaN();
  });

  it('has eps and mean size by name for several inputs, and their norms where they differ', () => {
    const size = (linf: number, l2: number) => ({ linf, l2, l1: 0, l0: 0 });
    const both = row('a', 'pgd', 0, 'success', {
      norm: { rgb: 'l2', skeleton: 'l2' },
      eps: { rgb: 3, skeleton: 4 },
      norms: { rgb: size(1, 3), skeleton: size(2, 4) },
    });
    const smaller = { ...both, sample: 'b', norms: { rgb: size(0.5, 1), skeleton: size(1, 4) } };
    expect(summarise([both, smaller]).cells[0]).toMatchObject({
      norm: 'l2',
      eps: { rgb: 3, skeleton: 4 },
      meanNorm: { rgb: 2, skeleton: 4 },
    });
    const mixed = [both, smaller].map((one) => ({ ...one, norm: { rgb: 'linf', skeleton: 'l2' } as const }));
    expect(summarise(mixed)).toMatchObject({
      cells: [{ norm: { rgb: 'linf', skeleton: 'l2' }, meanNorm: { rgb: 0.75, skeleton: 4 } }],
      worstCase: [{ norm: { rgb: 'linf', skeleton: 'l2' }, eps: { rgb: 3, skeleton: 4 } }],
    });
  });
});

describe('the worst case', () => {
  it('is the minimum per sample, not the minimum of the rates', () => {
    const rows = [
      ...table('fgsm', 0.1, { a: 'success', b: 'failure', c: 'failure', d: 'skipped' }),
      ...table('pgd', 0.1, { a: 'failure', b: 'success', c: 'failure', d: 'skipped' }),
    ];
    const { cells, worstCase } = summarise(rows);
    expect(cells.map((cell) => cell.robustAccuracy)).toEqual([0.5, 0.5]);
    expect(worstCase).toHaveLength(1);
    expect(worstCase[0]).toMatchObject({ norm: 'linf', eps: 0.1, robustAccuracy: 0.25 });
  });

  it('holds a success in a smaller ball against the larger one, never the other way round, and not across norms', () => {
    const rows = [
      ...table('fgsm', 0.1, { a: 'success', b: 'failure' }),
      ...table('pgd', 0.2, { a: 'failure', b: 'success' }),
      row('a', 'pgd', 9, 'failure', { norm: { image: 'l2' } }),
      row('b', 'pgd', 9, 'failure', { norm: { image: 'l2' } }),
    ];
    expect(summarise(rows).worstCase.map((worst) => [worst.norm, worst.eps, worst.robustAccuracy])).toEqual([
      ['linf', 0.1, 0.5],
      ['linf', 0.2, 0],
      ['l2', 9, 1],
    ]);
  });

  it('leaves out a sample no attack could judge, and judges by the others where one could not', () => {
    const rows = [
      ...table('fgsm', 0.1, { a: 'invalid', b: 'invalid', c: 'success' }),
      ...table('pgd', 0.1, { a: 'invalid', b: 'failure', c: 'invalid' }),
    ];
    expect(summarise(rows).worstCase[0]!.robustAccuracy).toBe(1 / 2);
  });

  it('does not depend on the order of the rows', () => {
    const rows = [...table('fgsm', 0.1, { a: 'success', b: 'failure' }), ...table('pgd', 0.1, { a: 'failure', b: 'success' })];
    expect(summarise([...rows].reverse()).worstCase).toEqual(summarise(rows).worstCase);
  });
});

describe('confusion', () => {
  it('counts label by prediction, before and after, for the attack and budget asked for', () => {
    const rows = [
      ...table('pgd', 0.1, { a: 'success', b: 'failure', c: 'skipped', d: 'invalid' }),
      ...table('pgd', 0.2, { a: 'success' }),
      ...table('fgsm', 0.1, { a: 'success' }),
    ];
    expect(confusion(rows, 2, 'pgd', 0.1)).toEqual({
      clean: [
        [2, 1],
        [0, 0],
      ],
      attacked: [
        [1, 2],
        [0, 0],
      ],
    });
  });
});
