/** @file A chart of lines, drawn as SVG that takes its colours from the page: once for a wide page and once for a narrow one. */
import { html, type Markup } from './html.ts';

/** A place in the plot: both in 0..1, from the lower left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly label: string;
  /** CSS class that carries the colour. */
  readonly tone: string;
  /** What stands at its points; none for lines of many. */
  readonly mark?: number;
  readonly line: readonly Place[];
  readonly band?: { readonly upper: readonly Place[]; readonly lower: readonly Place[] };
  /** Where something is said when pointed at. */
  readonly points: readonly (Place & { readonly title: string })[];
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Plot {
  readonly name: string;
  readonly series: readonly Series[];
  readonly x: { readonly title: string; readonly ticks: readonly Tick[] };
  readonly y: { readonly ticks: readonly Tick[] };
  /** Heights that are marked and named. */
  readonly levels?: readonly Tick[];
  /** Places on the axis below that are marked and named. */
  readonly marks?: readonly Tick[];
}

interface Frame {
  readonly width: number;
  readonly height: number;
  /** Characters of a line of a label: longer ones go on below. */
  readonly wrap: number;
}

const frames = {
  page: { width: 860, height: 400, wrap: 23 },
  half: { width: 520, height: 360, wrap: 18 },
  narrow: { width: 380, height: 340, wrap: 14 },
} as const satisfies Readonly<Record<string, Frame>>;

const marks: readonly ((x: number, y: number) => Markup)[] = [
  (x, y) => html`<circle cx="${x}" cy="${y}" r="4"/>`,
  (x, y) => html`<rect x="${x - 3.6}" y="${y - 3.6}" width="7.2" height="7.2"/>`,
  (x, y) => html`<path d="M${x} ${y - 4.8}l4.6 8.2h-9.2z"/>`,
  (x, y) => html`<path d="M${x} ${y - 5.2}l5.2 5.2-5.2 5.2-5.2-5.2z"/>`,
  (x, y) => html`<path d="M${x} ${y + 4.8}l4.6-8.2h-9.2z"/>`,
  (x, y) => html`<path class="open" d="M${x - 4} ${y - 4}l8 8m0-8l-8 8"/>`,
];

/** Middles of labels that want to stand at `wanted`, one below the other and inside the plot; `heights` is that of each, or of all. */
export function spread(wanted: readonly number[], heights: number | readonly number[], low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const apart = (i: number, j: number): number => (typeof heights === 'number' ? heights : (heights[i]! + heights[j]!) / 2);
  const placed: number[] = [];
  order.forEach((i, k) => {
    const above = order[k - 1];
    placed[i] = Math.max(wanted[i]!, above === undefined ? low : placed[above]! + apart(above, i));
  });
  [...order].reverse().forEach((i, k, downwards) => {
    const below = downwards[k - 1];
    placed[i] = Math.min(placed[i]!, below === undefined ? high : placed[below]! - apart(i, below));
  });
  return placed;
}

/** A label in as few lines as hold at most `most` characters, or one word, each; all as short as that many lines allow. */
export function wrapped(label: string, most: number): string[] {
  const lines = filled(label, most);
  for (let width = most - 1; width > 0; width--) {
    const shorter = filled(label, width);
    if (shorter.length > lines.length || shorter.some((line) => line.length > width)) return filled(label, width + 1);
  }
  return lines;
}

function filled(label: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of label.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Between the lines of a label. */
const lineHeight = 14;

const round = (value: number): number => Math.round(value * 10) / 10;

/** Ticks without those that would stand on the one to their right; the rightmost always stays. */
function fitting(ticks: readonly Tick[], px: (x: number) => number): (Tick & { readonly fits: boolean })[] {
  let last = Number.POSITIVE_INFINITY;
  return [...ticks].reverse().map((tick) => {
    const room = 5.6 * Math.max(tick.label.length, 5) + 4;
    const fits = last - px(tick.at) >= room || tick.at === 1;
    if (fits) last = px(tick.at);
    return { ...tick, fits };
  });
}

function draw({ name, series, x, y, levels = [], marks: places = [] }: Plot, frame: Frame): Markup {
  const labels = series.map((one) => wrapped(one.label, frame.wrap));
  const longest = Math.max(...labels.flat().map((line) => line.length));
  const left = 46;
  const right = frame.width - Math.min(190, 24 + 7.2 * longest);
  const top = places.length > 0 ? 26 : 14;
  const bottom = frame.height - 46;
  const px = (at: number): number => round(left + 8 + at * (right - left - 16));
  const py = (at: number): number => round(bottom - at * (bottom - top));
  const path = (line: readonly Place[]): string => line.map((p) => `${px(p.x)},${py(p.y)}`).join(' ');
  const ends = series.map((one) => one.line.at(-1)!);
  const heights = spread(
    ends.map((end) => py(end.y)),
    labels.map((lines) => 17 + lineHeight * (lines.length - 1)),
    top + 6,
    bottom + 4,
  );
  return html`<svg viewBox="0 0 ${frame.width} ${frame.height}" role="group" aria-label="${name}">
${y.ticks.map((tick) => html`<line class="grid" x1="${left}" x2="${right}" y1="${py(tick.at)}" y2="${py(tick.at)}"/><text class="tick" x="${left - 9}" y="${py(tick.at) + 4}" text-anchor="end">${tick.label}</text>`)}
${fitting(x.ticks, px).map((tick) => html`<line class="grid" x1="${px(tick.at)}" x2="${px(tick.at)}" y1="${bottom}" y2="${bottom + 5}"/>${tick.fits && html`<text class="tick" x="${px(tick.at)}" y="${bottom + 19}" text-anchor="middle">${tick.label}</text>`}`)}
<text class="axis" x="${round((left + right) / 2)}" y="${frame.height - 5}" text-anchor="middle">${x.title}</text>
${fitting(places, px).map((tick) => html`<g class="chance"><line x1="${px(tick.at)}" x2="${px(tick.at)}" y1="${top}" y2="${bottom}"/>${tick.fits && html`<text class="tick" x="${px(tick.at)}" y="${top - 8}" text-anchor="middle">${tick.label}</text>`}</g>`)}
${series.map((one, i) => {
  const end = ends[i]!;
  const height = round(heights[i]!);
  const { band, mark } = one;
  const lines = labels[i]!;
  const first = round(height + 4 - (lineHeight / 2) * (lines.length - 1));
  return html`<g class="series ${one.tone}" tabindex="0" role="img" aria-label="${one.points.map((point) => point.title).join('; ')}">${band !== undefined && html`<polygon class="band" points="${path([...band.upper, ...[...band.lower].reverse()])}"/>`}<polyline points="${path(one.line)}"/>
${one.points.map((point) => html`<g class="point"><title>${point.title}</title><circle class="hit" cx="${px(point.x)}" cy="${py(point.y)}" r="11"/>${mark !== undefined && marks[mark]!(px(point.x), py(point.y))}</g>`)}
<path class="leader" d="M${px(end.x) + 7} ${py(end.y)}L${right + 8} ${height}"/><text class="name" y="${first}">${lines.map((line, k) => html`<tspan x="${right + 12}" dy="${k === 0 ? 0 : lineHeight}">${line}${k + 1 < lines.length && ' '}</tspan>`)}</text></g>`;
})}
${levels.map((level) => html`<g class="chance"><line x1="${left}" x2="${right}" y1="${py(level.at)}" y2="${py(level.at)}"/><text class="tick" x="${right - 8}" y="${py(level.at) - 6}" text-anchor="end">${level.label}</text></g>`)}
</svg>`;
}

/** The chart as a figure, as wide as the page or as half of it. There is at least one line, and every line has a point. */
export function plot(chart: Plot, caption: string, width: 'page' | 'half' = 'page'): Markup {
  return html`<figure class="chart">
<div class="wide">${draw(chart, frames[width])}</div>
<div class="narrow">${draw(chart, frames.narrow)}</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

/** Ticks of an axis of shares. */
export const shareTicks: readonly Tick[] = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: `${100 * at}%` }));

/** The line of a distribution: from the lower left corner, level up to each of its jumps, and on to `end`. */
export function steps(jumps: readonly Place[], end = 1): Place[] {
  const corners = jumps.flatMap(({ x, y }, i): Place[] => [
    { x, y: jumps[i - 1]?.y ?? 0 },
    { x, y },
  ]);
  return [{ x: 0, y: 0 }, ...corners, { x: end, y: jumps.at(-1)?.y ?? 0 }];
}
