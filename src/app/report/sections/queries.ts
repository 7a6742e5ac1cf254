/** @file How many questions an attack needs: the share of samples it has fooled after so many of them. */
import { distribution } from '../../../kit/metrics/distribution.ts';
import type { Row } from '../../../kit/record/row.ts';
import { largest, logAxis } from '../axes.ts';
import { count, percent } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { plot, type Series, shareTicks, steps } from '../plot.ts';
import type { AttackInfo } from '../report-data.ts';
import { type Budget, isControl, type RunIndex, tones } from '../run-index.ts';

/**
 * Queries after which an example inside the budget was there; undefined where the attack does not say. A minimum-norm attack's first example may be far too
 * large: there the trace says when it had become small enough, to the precision of the questions the trace kept.
 */
export function queriesTo(row: Row, attack: AttackInfo, first: Row | undefined): number | undefined {
  if (attack.kind === 'bounded') return row.foundAt;
  const eps = Object.values(row.eps)[0]!;
  const trace = first?.trace;
  const k = trace?.best.findIndex((best) => best !== null && best <= eps * (1 + 1e-6)) ?? -1;
  return k < 0 ? undefined : trace!.queries[k];
}

interface Course {
  readonly name: string;
  readonly label: string;
  /** Of the samples fooled, ascending. */
  readonly found: readonly number[];
  readonly attacked: number;
  /** Most queries spent on a sample. */
  readonly most: number;
}

function courseOf(index: RunIndex, attack: RunIndex['attacks'][number], budget: Budget): Course | undefined {
  const firsts = index.rows(attack.name, index.budgets.find((one) => one.kind === budget.kind)!);
  const rows = [...index.rows(attack.name, budget).values()].filter(({ status }) => status === 'success' || status === 'failure');
  const found = rows.flatMap((row) => (row.status === 'success' ? [queriesTo(row, attack, firsts.get(row.sample))] : []));
  if (found.length === 0 || found.includes(undefined)) return undefined;
  const spent = rows.map((row) => Math.max(row.queries, firsts.get(row.sample)?.queries ?? 0));
  return {
    name: attack.name,
    label: attack.label,
    found: found.map(Number).sort((a, b) => a - b),
    attacked: rows.length,
    most: Math.max(largest(spent), largest(found.map(Number))),
  };
}

/** Share of samples fooled against queries, at the headline's budget; undefined where no attack says when it found what. */
export function queries(index: RunIndex): Markup | undefined {
  const budget = index.headline;
  if (budget === undefined) return undefined;
  const courses = index.attacks.flatMap((attack) => (isControl(attack) ? [] : (courseOf(index, attack, budget) ?? [])));
  if (courses.length === 0) return undefined;
  const axis = logAxis(1, Math.max(...courses.map(({ most }) => most)));
  const colours = tones(index);
  const series = courses.map(({ name, label, found, attacked, most }): Series => {
    const jumps = distribution(found, attacked).map((jump) => ({ x: axis.place(jump.x), y: jump.share }));
    const line = steps(jumps, axis.place(most));
    const half = found[Math.ceil(attacked / 2) - 1];
    const said = (at: number, n: number) => ({
      x: axis.place(at),
      y: n / attacked,
      title: `${label}: ${percent(n / attacked)} of ${count(attacked)} after ${count(at)} ${at === 1 ? 'query' : 'queries'}`,
    });
    const points = [
      ...(half === undefined ? [] : [said(half, found.filter((q) => q <= half).length)]),
      said(found.at(-1)!, found.length),
    ];
    return { label, ...colours.get(name)!, line, points };
  });
  return html`<h3>How many queries does it take?</h3>${plot(
    {
      name: `Share fooled against queries at ${budget.label}`,
      series,
      x: { title: 'queries per sample (logarithmic)', ticks: axis.ticks },
      y: { ticks: shareTicks },
    },
    `Share of the attacked samples that were fooled within ${budget.label} after so many queries. Marks: half of all samples, and the last one. A sample broken by a smaller budget already counts with the queries it took there. A gradient is one query.`,
  )}`;
}
