/** @file A chart of values over epochs, drawn as SVG that takes its colours from the page. */

import { niceTicks } from '../../report/axes.ts';
import { number } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { spread } from '../../report/plot.ts';

export interface Line {
  readonly label: string;
  /** CSS class that carries the colour. */
  readonly tone: string;
  /** One value per epoch, in order. */
  readonly values: readonly number[];
}

export interface Chart {
  readonly title: string;
  readonly caption: string;
  readonly lines: readonly Line[];
  /** Values as the tooltips say them. */
  readonly format?: (value: number) => string;
  /** Values as they stand on the axis. */
  readonly tick?: (value: number) => string;
  /** Both ends of the axis; by default 0 and the largest value. */
  readonly range?: readonly [low: number, high: number];
  /** A level that is marked and named. */
  readonly level?: { readonly at: number; readonly label: string };
  /** The epoch whose weights were kept, counted from 1. */
  readonly kept: number;
}

const size = { width: 440, height: 280, left: 52, top: 16, bottom: 44 } as const;

/** Whole epochs for the axis below. */
const epochTicks = (epochs: number): number[] => [
  ...new Set([1, ...niceTicks(1, epochs, 6).filter((e) => Number.isInteger(e) && e > 1)]),
];

/** Values that span more than a factor of a hundred are drawn on a logarithmic axis. */
const isWide = (values: readonly number[]): boolean => {
  const positive = values.filter((v) => v > 0);
  return positive.length === values.length && Math.max(...positive) > 100 * Math.min(...positive);
};

interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
  readonly logarithmic: boolean;
}

function scaleOf(values: readonly number[], range: Chart['range']): Scale {
  if (range === undefined && isWide(values)) {
    const low = Math.floor(Math.log10(Math.min(...values)));
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
    const every = Math.max(1, Math.ceil((high - low) / 6));
    const ticks = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + i * every));
    return { logarithmic: true, ticks, place: (v) => (Math.log10(v) - low) / (high - low) };
  }
  const [low, high] = range ?? [0, Math.max(...values) * 1.04 || 1];
  return { logarithmic: false, ticks: niceTicks(low, high, 5), place: (v) => (v - low) / (high - low) };
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

const round = (value: number): number => Math.round(value * 10) / 10;

/** The chart as a figure. Values that are not finite are left out of their line. */
export function chart({ title, caption, lines, format = number, tick = short, range, level, kept }: Chart): Markup {
  const drawn = lines.map((line) => ({
    ...line,
    points: line.values.flatMap((y, i) => (Number.isFinite(y) ? [{ x: i + 1, y }] : [])),
  }));
  const shown = drawn.filter((line) => line.points.length > 0);
  if (shown.length === 0) return html`<figure class="chart"><figcaption><b>${title}</b> was never finite.</figcaption></figure>`;
  const epochs = Math.max(...lines.map((line) => line.values.length));
  const scale = scaleOf(
    shown.flatMap((line) => line.points.map((p) => p.y)),
    range,
  );
  const named = shown.length > 1;
  const right = size.width - (named ? 20 + 6.8 * Math.max(...shown.map((line) => line.label.length)) : 14);
  const bottom = size.height - size.bottom;
  const px = (epoch: number): number =>
    round(size.left + 8 + (epochs === 1 ? 0.5 : (epoch - 1) / (epochs - 1)) * (right - size.left - 16));
  const py = (value: number): number => round(bottom - scale.place(value) * (bottom - size.top));
  const ends = shown.map((line) => line.points.at(-1)!);
  const heights = spread(
    ends.map((end) => py(end.y)),
    17,
    size.top + 6,
    bottom + 4,
  );
  return html`<figure class="chart"><svg viewBox="0 0 ${size.width} ${size.height}" role="group" aria-label="${title}">
${scale.ticks.map((y) => html`<line class="grid" x1="${size.left}" x2="${round(right)}" y1="${py(y)}" y2="${py(y)}"/><text class="tick" x="${size.left - 8}" y="${py(y) + 4}" text-anchor="end">${tick(y)}</text>`)}
${epochTicks(epochs).map((x) => html`<line class="grid" x1="${px(x)}" x2="${px(x)}" y1="${bottom}" y2="${bottom + 5}"/><text class="tick" x="${px(x)}" y="${bottom + 18}" text-anchor="middle">${x}</text>`)}
<text class="axis" x="${round((size.left + right) / 2)}" y="${size.height - 6}" text-anchor="middle">epoch${scale.logarithmic && ' (logarithmic above)'}</text>
${level !== undefined && html`<g class="chance"><line x1="${size.left}" x2="${round(right)}" y1="${py(level.at)}" y2="${py(level.at)}"/><text class="tick" x="${round(right) - 6}" y="${py(level.at) - 6}" text-anchor="end">${level.label}</text></g>`}
${kept > 0 && html`<g class="chance"><line x1="${px(kept)}" x2="${px(kept)}" y1="${size.top}" y2="${bottom}"/></g>`}
${shown.map((line, i) => seriesOf(line, { px, py, format, height: heights[i]!, right: round(right), named }))}
</svg><figcaption><b>${title}.</b> ${caption}</figcaption></figure>`;
}

interface Place {
  readonly px: (epoch: number) => number;
  readonly py: (value: number) => number;
  readonly format: (value: number) => string;
  readonly height: number;
  readonly right: number;
  readonly named: boolean;
}

function seriesOf(
  { label, tone, points }: Line & { readonly points: readonly { readonly x: number; readonly y: number }[] },
  { px, py, format, height, right, named }: Place,
): Markup {
  const titles = points.map(({ x, y }) => `${label}, epoch ${x}: ${format(y)}`);
  const end = points.at(-1)!;
  const mark = points.length <= 40 ? 2.6 : 0;
  return html`<g class="series ${tone}" tabindex="0" role="img" aria-label="${titles.join('; ')}"><polyline points="${points.map(({ x, y }) => `${px(x)},${py(y)}`).join(' ')}"/>
${points.map(({ x, y }, i) => html`<g class="point"><title>${titles[i]!}</title><circle class="hit" cx="${px(x)}" cy="${py(y)}" r="7"/>${mark > 0 && html`<circle cx="${px(x)}" cy="${py(y)}" r="${mark}"/>`}</g>`)}
${named && html`<path class="leader" d="M${px(end.x) + 5} ${py(end.y)}L${right + 6} ${round(height)}"/><text class="name" x="${right + 9}" y="${round(height + 4)}">${label}</text>`}</g>`;
}
