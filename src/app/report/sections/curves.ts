/** @file Robust accuracy against budget, drawn as SVG that takes its colours from the page. */
import { interval, normText, percent } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import { type Budget, isControl, type RunIndex } from '../run-index.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly band: readonly [number, number];
  readonly title: string;
}

interface Series {
  readonly label: string;
  /** CSS class that carries the colour. */
  readonly tone: string;
  readonly mark: number;
  readonly points: readonly Point[];
}

interface Axis {
  /** Positions in 0..1, the clean point first. */
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly even: boolean;
}

/** Budgets on a linear axis from 0; evenly spaced where they span more than a factor of 32 or are not single numbers. */
function axisOf(budgets: readonly Budget[]): Axis {
  const values = budgets.map((budget) => (typeof budget.eps === 'number' ? budget.eps : Number.NaN));
  const largest = Math.max(...values);
  const even = !(largest > 0 && largest <= 32 * Math.min(...values.filter((value) => value > 0)));
  const places = values.map((value, i) => (even ? (i + 1) / values.length : value / largest));
  return { even, ticks: [{ at: 0, label: 'clean' }, ...budgets.map((budget, i) => ({ at: places[i]!, label: budget.label }))] };
}

const cleanPoint = (data: ReportData): Point => ({
  x: 0,
  y: data.summary.cleanAccuracy,
  band: data.summary.cleanAccuracyInterval,
  title: `clean: ${percent(data.summary.cleanAccuracy)} (${interval(data.summary.cleanAccuracyInterval)})`,
});

function seriesOf(data: ReportData, index: RunIndex, budgets: readonly Budget[], axis: Axis): Series[] {
  const start = data.goal === 'untargeted' ? [cleanPoint(data)] : [];
  let colour = 0;
  const series = index.attacks.map((attack): Series => {
    const points = budgets.flatMap((budget, i): Point[] => {
      const cell = index.cell(attack.name, budget);
      if (cell === undefined) return [];
      const title = `${attack.label} at ${budget.label}: ${percent(cell.robustAccuracy)} (${interval(cell.robustAccuracyInterval)}), ${cell.success} of ${cell.success + cell.failure} fooled`;
      return [{ x: axis.ticks[i + 1]!.at, y: cell.robustAccuracy, band: cell.robustAccuracyInterval, title }];
    });
    const tone = isControl(attack) ? 'control' : `tone-${colour % 6}`;
    const mark = isControl(attack) ? 0 : 1 + (colour++ % 5);
    return { label: attack.label, tone, mark, points: [...start, ...points].filter(isRate) };
  });
  const worst: Series = {
    label: 'worst case',
    tone: 'worst',
    mark: 0,
    points: [
      ...start,
      ...budgets.map(({ worst, label }, i) => ({
        x: axis.ticks[i + 1]!.at,
        y: worst.robustAccuracy,
        band: worst.robustAccuracyInterval,
        title: `worst case at ${label}: ${percent(worst.robustAccuracy)} (${interval(worst.robustAccuracyInterval)})`,
      })),
    ].filter(isRate),
  };
  return [worst, ...series].filter((one) => one.points.length > start.length);
}

const marks: readonly ((x: number, y: number) => Markup)[] = [
  (x, y) => html`<circle cx="${x}" cy="${y}" r="4"/>`,
  (x, y) => html`<rect x="${x - 3.6}" y="${y - 3.6}" width="7.2" height="7.2"/>`,
  (x, y) => html`<path d="M${x} ${y - 4.8}l4.6 8.2h-9.2z"/>`,
  (x, y) => html`<path d="M${x} ${y - 5.2}l5.2 5.2-5.2 5.2-5.2-5.2z"/>`,
  (x, y) => html`<path d="M${x} ${y + 4.8}l4.6-8.2h-9.2z"/>`,
  (x, y) => html`<path class="open" d="M${x - 4} ${y - 4}l8 8m0-8l-8 8"/>`,
];

/** Heights for labels that want to stand at `wanted`, at least `gap` apart and inside the plot. */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const placed: number[] = [];
  order.forEach((i, k) => {
    placed[i] = Math.max(wanted[i]!, k === 0 ? low : placed[order[k - 1]!]! + gap);
  });
  let limit = high;
  for (const i of [...order].reverse()) {
    placed[i] = Math.min(placed[i]!, limit);
    limit = placed[i]! - gap;
  }
  return placed;
}

/** Whether there is a rate at all: one over nothing is NaN, null once it has been through JSON. */
const isRate = (point: Point): boolean => Number.isFinite(point.y);

const round = (value: number): number => Math.round(value * 10) / 10;

const axisName = {
  linf: 'largest change of a value (L∞ budget)',
  l2: 'length of the change (L2 budget)',
  l1: 'sum of all changes (L1 budget)',
  l0: 'number of values changed (L0 budget)',
} as const;

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly labels: number;
}

function plot(
  series: readonly Series[],
  axis: Axis,
  chance: number | undefined,
  xTitle: string,
  frame: Frame,
  name: string,
): Markup {
  const left = 46;
  const right = frame.width - frame.labels;
  const top = 14;
  const bottom = frame.height - 46;
  const px = (x: number): number => round(left + 8 + x * (right - left - 16));
  const py = (y: number): number => round(bottom - y * (bottom - top));
  let last = Number.POSITIVE_INFINITY;
  const shown = [...axis.ticks].reverse().map((tick) => {
    const room = 5.6 * Math.max(tick.label.length, 5) + 4;
    const fits = last - px(tick.at) >= room || tick.at === 1;
    if (fits) last = px(tick.at);
    return { ...tick, fits };
  });
  const ends = series.map((one) => one.points.at(-1)!);
  const heights = spread(
    ends.map((end) => py(end.y)),
    17,
    top + 6,
    bottom + 4,
  );
  return html`<svg viewBox="0 0 ${frame.width} ${frame.height}" role="group" aria-label="${name}">
${[0, 0.25, 0.5, 0.75, 1].map((y) => html`<line class="grid" x1="${left}" x2="${right}" y1="${py(y)}" y2="${py(y)}"/><text class="tick" x="${left - 9}" y="${py(y) + 4}" text-anchor="end">${100 * y}%</text>`)}
${shown.map((tick) => html`<line class="grid" x1="${px(tick.at)}" x2="${px(tick.at)}" y1="${bottom}" y2="${bottom + 5}"/>${tick.fits && html`<text class="tick" x="${px(tick.at)}" y="${bottom + 19}" text-anchor="middle">${tick.label}</text>`}`)}
<text class="axis" x="${round((left + right) / 2)}" y="${frame.height - 5}" text-anchor="middle">${xTitle}</text>
${series.map((one, i) => {
  const line = one.points.map((point) => `${px(point.x)},${py(point.y)}`).join(' ');
  const area = [
    ...one.points.map((p) => `${px(p.x)},${py(p.band[1])}`),
    ...one.points.map((p) => `${px(p.x)},${py(p.band[0])}`).reverse(),
  ].join(' ');
  const end = ends[i]!;
  return html`<g class="series ${one.tone}" tabindex="0" role="img" aria-label="${one.points.map((point) => point.title).join('; ')}"><polygon class="band" points="${area}"/><polyline points="${line}"/>
${one.points.map((point) => html`<g class="point"><title>${point.title}</title><circle class="hit" cx="${px(point.x)}" cy="${py(point.y)}" r="11"/>${marks[one.mark]!(px(point.x), py(point.y))}</g>`)}
<path class="leader" d="M${px(end.x) + 7} ${py(end.y)}L${right + 8} ${round(heights[i]!)}"/><text class="name" x="${right + 12}" y="${round(heights[i]! + 4)}">${one.label}</text></g>`;
})}
${chance !== undefined && html`<g class="chance"><line x1="${left}" x2="${right}" y1="${py(chance)}" y2="${py(chance)}"/><text class="tick" x="${right - 8}" y="${py(chance) - 6}" text-anchor="end">chance ${percent(chance)}</text></g>`}
</svg>`;
}

/** Robust accuracy against budget: a figure for each norm. */
export function curves(data: ReportData, index: RunIndex): Markup {
  const word = data.data.agreement ? 'Robust agreement' : 'Robust accuracy';
  const kinds = [...new Map(index.budgets.map((budget) => [budget.kind, budget.norm])).entries()];
  const chance = data.goal === 'untargeted' && data.model.classes.length > 1 ? 1 / data.model.classes.length : undefined;
  return html`${kinds.map(([kind, norm]) => {
    const budgets = index.budgets.filter((budget) => budget.kind === kind);
    const axis = axisOf(budgets);
    const series = seriesOf(data, index, budgets, axis);
    if (series.length === 0)
      return html`<p class="note">Nothing could be judged at ${normText(norm)} budgets, so there is nothing to draw.</p>`;
    const xTitle = `${typeof norm === 'string' ? axisName[norm] : `budgets by input (${normText(norm)})`}${axis.even && budgets.length > 1 ? ' (evenly spaced)' : ''}`;
    const name = `${word} against ${normText(norm)} budget`;
    const longest = Math.max(...series.map((one) => one.label.length));
    const labels = Math.min(190, 24 + 7.2 * longest);
    return html`<figure class="chart">
<div class="wide">${plot(series, axis, chance, xTitle, { width: 860, height: 400, labels }, name)}</div>
<div class="narrow">${plot(series, axis, chance, xTitle, { width: 380, height: 340, labels }, name)}</div>
<figcaption>${word} against budget. The bold line is the worst case: for every sample the attack that worked best on it. Shaded: 95% Wilson interval; point at a line to see its own.</figcaption>
</figure>`;
  })}`;
}
