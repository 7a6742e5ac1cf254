/** @file How small a change minimum-norm attacks found: the distribution, and the samples for which they found none. */
import { distribution, shareWithin } from '../../../kit/metrics/distribution.ts';
import { median } from '../../../kit/metrics/quantile.ts';
import type { Norm } from '../../../kit/threat/threat.ts';
import { largest, linearAxis } from '../axes.ts';
import { count, number, percent, size } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { plot, type Series, shareTicks, steps } from '../plot.ts';
import type { ReportData } from '../report-data.ts';
import { type RunIndex, tones } from '../run-index.ts';

interface Found {
  readonly name: string;
  readonly label: string;
  /** Ascending; infinite where nothing was found. */
  readonly distances: readonly number[];
}

/** The share of samples with an example no larger than so much, for minimum-norm attacks; undefined where there are none. */
export function distances(data: ReportData, index: RunIndex): Markup | undefined {
  const [first] = index.budgets;
  const found = index.attacks.flatMap((attack): Found[] => {
    if (attack.kind !== 'minimal') return [];
    const rows = [...index.rows(attack.name, first!).values()].filter(
      ({ status }) => status === 'success' || status === 'failure',
    );
    const all = rows.map(({ distance }) => distance ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    return all.some(Number.isFinite) ? [{ name: attack.name, label: attack.label, distances: all }] : [];
  });
  if (first === undefined || found.length === 0) return undefined;
  const budgets = index.budgets.filter(({ kind }) => kind === first.kind);
  const epsOf = ({ eps }: { eps: (typeof first)['eps'] }): number => (typeof eps === 'number' ? eps : Object.values(eps)[0]!);
  const [input, spec] = Object.entries(data.model.inputs).find(([, one]) => one.role === 'attacked')!;
  const norm: Norm = typeof first.norm === 'string' ? first.norm : first.norm[input]!;
  const text = (value: number): string => size(value, norm, spec);
  const most = Math.min(largest(found.flatMap((one) => one.distances.filter(Number.isFinite))), 4 * epsOf(budgets.at(-1)!));
  const x = linearAxis(0, 1.03 * Math.max(most, epsOf(budgets.at(-1)!)), number);
  const colours = tones(index);
  const series = found.map(({ name, label, distances: all }): Series => {
    const jumps = distribution(all);
    const line = steps(jumps.flatMap((jump) => (x.place(jump.x) > 1 ? [] : [{ x: x.place(jump.x), y: jump.share }])));
    const points = budgets.map((budget) => {
      const share = shareWithin(jumps, epsOf(budget));
      return { x: x.place(epsOf(budget)), y: share, title: `${label}: ${percent(share)} within ${budget.label}` };
    });
    return { label, ...colours.get(name)!, line, points };
  });
  const shared = typeof first.eps === 'number' ? '' : ` Over all inputs, as a size of ${input}: the budgets weigh the others.`;
  return html`<h3>How small a change is enough?</h3>${plot(
    {
      name: 'Distribution of distances',
      series,
      x: { title: 'size of the smallest change found, before rounding', ticks: x.ticks },
      y: { ticks: shareTicks },
      marks: budgets.map((budget) => ({ at: x.place(epsOf(budget)), label: budget.label })),
    },
    `Share of the attacked samples with an example no larger than that. Dotted: the budgets. Samples for which nothing was found count as infinitely far, so a line may end below 100%.${shared}`,
  )}
<div class="scroll"><table class="inputs"><thead><tr>${['Attack', 'Attacked', 'Example found', 'Median size', 'Smallest'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${found.map(({ label, distances: all }) => {
    const middle = median(all);
    return html`<tr><th scope="row">${label}</th><td>${count(all.length)}</td><td>${count(all.filter(Number.isFinite).length)}</td><td>${Number.isFinite(middle) ? text(middle) : 'none for half of them'}</td><td>${text(all[0]!)}</td></tr>`;
  })}</tbody></table></div>`;
}
