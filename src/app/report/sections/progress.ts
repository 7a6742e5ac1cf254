/** @file How attacks went: the median sample and its quartiles, question by question. */
import { quantile } from '../../../kit/metrics/quantile.ts';
import type { Trace } from '../../../kit/record/trace.ts';
import { largest, linearAxis, logAxis } from '../axes.ts';
import { number } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { type Place, plot, type Series, type Tick } from '../plot.ts';
import type { AttackInfo } from '../report-data.ts';
import { type Budget, isControl, type RunIndex, tones } from '../run-index.ts';

/** Counts of queries at which a chart looks, evenly spaced on a logarithmic axis. */
const looks = (most: number): number[] => [
  ...new Set([...Array.from({ length: 48 }, (_, k) => Math.round(most ** (k / 47))), most]),
];

/** The best of a trace after so many queries: the last one kept before; infinite where there was none yet. */
function after(trace: Trace, queries: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const [k, asked] of trace.queries.entries()) {
    if (asked > queries) break;
    best = trace.best[k] ?? Number.POSITIVE_INFINITY;
  }
  return best;
}

interface Quartiles {
  readonly queries: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Quartiles over the samples; a sample whose attack is over stays where it ended. Only where the median is finite. */
export function quartilesOf(traces: readonly Trace[]): Quartiles[] {
  const most = largest(traces.map((trace) => largest(trace.queries)));
  return looks(most).flatMap((queries) => {
    const values = Float64Array.from(traces, (trace) => after(trace, queries)).sort();
    const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(values, share)) as [number, number, number];
    return Number.isFinite(median) ? [{ queries, low, median, high }] : [];
  });
}

type Labelled = AttackInfo & { readonly label: string };

interface Kind {
  readonly kind: AttackInfo['kind'];
  readonly title: string;
  readonly caption: (budget: Budget) => string;
}

const kinds: readonly Kind[] = [
  {
    kind: 'bounded',
    title: 'How the lead falls',
    caption: ({ label }) =>
      `How far the right answer’s logit still led at best, after so many queries, at ${label}, the smallest budget: there every sample is attacked. Below 0 the model is fooled.`,
  },
  {
    kind: 'minimal',
    title: 'How the change shrinks',
    caption: () =>
      'Size of the smallest example so far, after so many queries, before rounding. The line begins where half of the samples have one.',
  },
];

function figure(index: RunIndex, { kind, title, caption }: Kind): Markup | undefined {
  const [first] = index.budgets;
  const found = index.attacks.flatMap((attack): { attack: Labelled; quartiles: Quartiles[] }[] => {
    if (attack.kind !== kind || isControl(attack)) return [];
    const traces = [...index.rows(attack.name, first!).values()].flatMap(({ trace }) => (trace?.queries.length ? [trace] : []));
    const quartiles = traces.length === 0 ? [] : quartilesOf(traces);
    return quartiles.length < 2 ? [] : [{ attack, quartiles }];
  });
  if (found.length === 0) return undefined;
  const all = found.flatMap(({ quartiles }) => quartiles);
  const most = all.flatMap(({ median, high }) => (Number.isFinite(high) ? [high] : [median]));
  const low = Math.min(0, ...all.map((q) => q.low));
  const high = Math.max(0, ...most);
  const smallest = Math.min(...all.map((q) => q.low));
  // sizes span decades: a first example is far from the last
  const wide = smallest > 0 && high > 30 * smallest;
  const [x, y] = [logAxis(1, Math.max(...all.map((q) => q.queries))), wide ? logAxis(smallest, high) : linearAxis(low, high)];
  const colours = tones(index);
  // the bands of many would hide one another
  const few = found.length <= 4;
  const series = found.map(({ attack, quartiles }): Series => {
    const at = (of: (q: Quartiles) => number): Place[] =>
      quartiles.map((q) => ({ x: x.place(q.queries), y: y.place(Math.min(high, of(q))) }));
    const title = (q: Quartiles): string =>
      `${attack.label} after ${number(q.queries)}: ${number(q.median)} (quartiles ${number(q.low)} to ${Number.isFinite(q.high) ? number(q.high) : 'none found'})`;
    const line = at((q) => q.median);
    const said = [0, Math.floor(quartiles.length / 2), quartiles.length - 1];
    const { tone, mark } = colours.get(attack.name)!;
    return {
      label: attack.label,
      tone: few ? `${tone} shaded` : tone,
      mark,
      line,
      band: { lower: at((q) => q.low), upper: at((q) => q.high) },
      points: said.map((k) => ({ ...line[k]!, title: title(quartiles[k]!) })),
    };
  });
  const zero: Tick[] = kind === 'bounded' && low < 0 ? [{ at: y.place(0), label: 'fooled below' }] : [];
  return html`<h3>${title}</h3>${plot(
    {
      name: title,
      series,
      x: { title: `queries per sample (${wide ? 'both axes ' : ''}logarithmic)`, ticks: x.ticks },
      y: { ticks: y.ticks },
      levels: zero,
    },
    `${caption(first!)} Median over samples; shaded${few ? '' : ', when pointed at'}: quartiles. A sample whose attack is over stays where it ended.`,
  )}`;
}

/** A figure for bounded and one for minimum-norm attacks, as far as their traces are there. */
export function progress(index: RunIndex): Markup | undefined {
  if (index.headline === undefined) return undefined;
  const figures = kinds.flatMap((kind) => figure(index, kind) ?? []);
  return figures.length === 0 ? undefined : html`${figures}`;
}
