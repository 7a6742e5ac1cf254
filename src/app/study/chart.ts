/** @file A chart of a chapter as a figure of the page. */
import type { Chart, ChartPoint, ChartSeries } from '../../judgement/chapter.ts';
import { shareWithin } from '../../kit/metrics/distribution.ts';
import { type Axis, largest, linearAxis, logAxis } from '../report/axes.ts';
import { interval, number, percent } from '../report/format.ts';
import type { Markup } from '../report/html.ts';
import { type Place, plot, type Series, shareTicks, steps } from '../report/plot.ts';
import { type Tone, toneOf } from '../report/run-index.ts';

function axisOf({ x, series, marks = [] }: Chart): Axis {
  const all = [...series.flatMap(({ points }) => points), ...marks].map((one) => one.x);
  const from = x.from ?? -largest(all.map((value) => -value));
  const to = x.to ?? largest(all);
  const axis = x.scale === 'log' ? logAxis(from, to) : linearAxis(from, to);
  return x.ticks === undefined
    ? axis
    : { ...axis, ticks: x.ticks.map((tick) => ({ at: axis.place(tick.x), label: tick.label })) };
}

/** Colours and marks, given to lines that stand out neither way; what a line is named or how many there are decides nothing. */
function tonesOf(series: readonly ChartSeries[]): Tone[] {
  const plain = series.filter(({ emphasis = 'plain' }) => emphasis === 'plain');
  return series.map((one, i) => {
    if (one.emphasis === 'main') return { tone: 'bold', mark: 0 };
    return one.emphasis === 'reference' ? { tone: 'reference', mark: toneOf(i).mark } : toneOf(plain.indexOf(one));
  });
}

/** What is said of a share with its interval: "61.5% (54.2–68.3%)". */
const shareText = ({ share, lower, upper }: Omit<ChartPoint, 'x'>): string =>
  lower === undefined || upper === undefined ? percent(share) : `${percent(share)} (${interval([lower, upper])})`;

function seriesOf({ x, marks = [] }: Chart, { name, points, step }: ChartSeries, tone: Tone, axis: Axis): Series {
  const drawn = (of: (point: ChartPoint) => number): Place[] => {
    const places = points.map((point) => ({ x: axis.place(point.x), y: of(point) }));
    return step ? steps(places) : places;
  };
  const labels = new Map([...(x.ticks ?? []), ...marks].map((one) => [one.x, one.label]));
  const said = (point: ChartPoint): Series['points'][number] => ({
    x: axis.place(point.x),
    y: point.share,
    title: `${name}: ${shareText(point)} ${step ? 'within' : 'at'} ${labels.get(point.x) ?? number(point.x)}`,
  });
  const read = step && marks.length > 0 ? marks.map((mark) => ({ x: mark.x, share: shareWithin(points, mark.x) })) : points;
  const bounded = points.every(({ lower, upper }) => lower !== undefined && upper !== undefined);
  return {
    label: name,
    ...tone,
    line: drawn(({ share }) => share),
    points: read.map(said),
    ...(bounded ? { band: { lower: drawn(({ lower }) => lower!), upper: drawn(({ upper }) => upper!) } } : {}),
  };
}

/** The chart as wide as the page or as half of it. */
export function chartMarkup(chart: Chart, width: 'page' | 'half'): Markup {
  const axis = axisOf(chart);
  const tones = tonesOf(chart.series);
  return plot(
    {
      name: chart.title,
      series: chart.series.map((one, i) => seriesOf(chart, one, tones[i]!, axis)),
      x: { title: chart.x.title, ticks: axis.ticks },
      y: { ticks: shareTicks },
      marks: (chart.marks ?? []).map((mark) => ({ at: axis.place(mark.x), label: mark.label })),
    },
    chart.caption,
    width,
  );
}
