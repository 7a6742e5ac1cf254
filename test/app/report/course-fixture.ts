/** @file A made-up run of a bounded attack, two minimum-norm attacks and a suite, with traces: nothing in it was measured. */
import type { AttackInfo, ReportData } from '../../../src/app/report/report-data.ts';
import { summarise } from '../../../src/kit/metrics/summary.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import { fixture, fixtureRows, attacks as plain } from './fixture.ts';

export const attacks: AttackInfo[] = [
  ...plain.filter(({ name }) => name !== 'fgsm'),
  { name: 'ddn', title: 'made up', needs: 'gradient', kind: 'minimal', paper: 'none' },
  { name: 'boundary', title: 'made up', needs: 'decision', kind: 'minimal', paper: 'none' },
  {
    name: 'autoattack',
    title: 'made up',
    needs: 'gradient',
    kind: 'bounded',
    paper: 'none',
    executes: [
      { name: 'apgd-ce', attack: 'apgd', options: { steps: 100, loss: 'ce' } },
      { name: 'fab-t', attack: 'fab', options: { steps: 100, targets: 9 } },
      { name: 'square', attack: 'square', options: { queries: 5000 } },
    ],
  },
];

/** Distance of sample i to the boundary, in steps of 1/255; sample 7 is never moved by the decision-based attack. */
export const distanceOf = (i: number, attack: 'ddn' | 'boundary'): number =>
  attack === 'ddn' ? 0.5 + 0.8 * i : i === 7 ? Number.POSITIVE_INFINITY : 1.5 * (0.5 + 0.8 * i);

const minimalRow = (row: Row, i: number, attack: 'ddn' | 'boundary'): Row => {
  const { example: _, ...bare } = row;
  const eps = row.eps.input! * 255;
  const distance = distanceOf(i, attack);
  const [first, scale] = [Math.abs(eps - 1) < 1e-9, attack === 'ddn' ? 1 : 25];
  const asked = [1, 4, 10, 40, 100].map((q) => q * scale);
  const found = Number.isFinite(distance);
  const status = row.status === 'skipped' ? 'skipped' : distance <= eps ? 'success' : 'failure';
  return {
    ...bare,
    attack,
    status,
    floatSuccess: status === 'success',
    distance: found && status !== 'skipped' ? distance / 255 : null,
    ...(found && status !== 'skipped' ? { foundAt: asked[1]! } : {}),
    ...(first && status !== 'skipped'
      ? {
          trace: {
            queries: asked,
            lead: asked.map(() => (attack === 'ddn' ? 0.1 : null)),
            best: asked.map((_q, k) => (!found || k === 0 ? null : (distance * [0, 4, 2, 1.2, 1][k]!) / 255)),
          },
        }
      : {}),
    queries: first ? asked.at(-1)! : 0,
    norms: status === 'success' ? { input: { linf: distance / 255, l2: distance, l1: 10 * distance, l0: 36000 } } : {},
  };
};

/** The rows: pgd and the suite find what the plain fixture's pgd finds. */
export function courseRows(): Row[] {
  const rows = fixtureRows();
  const samples = [...new Set(rows.map(({ sample }) => sample))];
  const at = ({ sample }: Row): number => samples.indexOf(sample);
  const pgd = rows
    .filter(({ attack }) => attack === 'pgd')
    .map((row): Row => {
      if (row.status === 'skipped') return row;
      const i = at(row);
      const fools = row.status === 'success';
      const lead = [3 + 0.2 * i, 1 + 0.1 * i, fools ? -0.5 : 0.4, fools ? -1 - 0.1 * i : 0.3];
      return { ...row, ...(fools ? { foundAt: 2 + i } : {}), trace: { queries: [1, 3, 9, 20], lead, best: lead } };
    });
  const suite = pgd.map((row): Row => {
    const { trace: _, foundAt, ...bare } = row;
    const by = at(row) % 3 === 0 ? 'fab-t' : 'apgd-ce';
    return { ...bare, attack: 'autoattack', ...(row.status === 'success' ? { by, foundAt: 10 * foundAt! } : {}), queries: 900 };
  });
  return [
    ...rows.filter(({ attack }) => attack === 'noise'),
    ...pgd,
    ...pgd.map((row) => minimalRow(row, at(row), 'ddn')),
    ...pgd.map((row) => minimalRow(row, at(row), 'boundary')),
    ...suite,
  ];
}

/** The whole made-up run. */
export const courseFixture = (change: Partial<ReportData> = {}): ReportData => {
  const rows = courseRows();
  return fixture({ attacks, rows, summary: summarise(rows), ...change }, rows);
};
