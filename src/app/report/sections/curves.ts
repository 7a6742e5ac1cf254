/** @file Robust accuracy against budget. */
import { clipShapeOf } from '../../../kit/model/clip-shape.ts';
import { interval, normText, percent } from '../format.ts';
import { html, type Markup } from '../html.ts';
import { type Plot, plot, type Series, shareTicks, type Tick } from '../plot.ts';
import type { ReportData } from '../report-data.ts';
import { type Budget, type RunIndex, tones } from '../run-index.ts';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly band: readonly [number, number];
  readonly title: string;
}

interface Axis {
  /** The clean point first. */
  readonly ticks: readonly Tick[];
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

/** Whether there is a rate at all: one over nothing is NaN, null once it has been through JSON. */
const isRate = (point: Point): boolean => Number.isFinite(point.y);

function seriesOf(data: ReportData, index: RunIndex, budgets: readonly Budget[], axis: Axis): Series[] {
  const start = data.goal === 'untargeted' ? [cleanPoint(data)] : [];
  const drawn = (label: string, tone: string, mark: number, found: readonly Point[]): Series[] => {
    const points = [...start, ...found].filter(isRate);
    if (points.length <= start.length) return [];
    const ends = (end: 0 | 1) => points.map(({ x, band }) => ({ x, y: band[end] }));
    return [{ label, tone, mark, line: points, points, band: { lower: ends(0), upper: ends(1) } }];
  };
  const worst = budgets.map(({ worst, label }, i): Point => {
    const title = `worst case at ${label}: ${percent(worst.robustAccuracy)} (${interval(worst.robustAccuracyInterval)})`;
    return { x: axis.ticks[i + 1]!.at, y: worst.robustAccuracy, band: worst.robustAccuracyInterval, title };
  });
  const colours = tones(index);
  const series = index.attacks.flatMap((attack) => {
    const points = budgets.flatMap((budget, i): Point[] => {
      const cell = index.cell(attack.name, budget);
      if (cell === undefined) return [];
      const title = `${attack.label} at ${budget.label}: ${percent(cell.robustAccuracy)} (${interval(cell.robustAccuracyInterval)}), ${cell.success} of ${cell.success + cell.failure} fooled`;
      return [{ x: axis.ticks[i + 1]!.at, y: cell.robustAccuracy, band: cell.robustAccuracyInterval, title }];
    });
    const { tone, mark } = colours.get(attack.name)!;
    return drawn(attack.label, tone, mark, points);
  });
  return [...drawn('worst case', 'worst', 0, worst), ...series];
}

const axisName = {
  linf: 'largest change of a value (L∞ budget)',
  l2: 'length of the change (L2 budget)',
  l1: 'sum of all changes (L1 budget)',
  l0: 'number of values changed (L0 budget)',
} as const;

const axisNameOf = (norm: keyof typeof axisName, { model }: ReportData): string => {
  const attacked = Object.values(model.inputs).filter(({ role }) => role === 'attacked');
  return norm === 'l0' && attacked.every((spec) => clipShapeOf(spec) !== undefined)
    ? 'number of pixels flipped (L0 budget)'
    : axisName[norm];
};

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
    const what = typeof norm === 'string' ? axisNameOf(norm, data) : `budgets by input (${normText(norm)})`;
    const chart: Plot = {
      name: `${word} against ${normText(norm)} budget`,
      series,
      x: { title: `${what}${axis.even && budgets.length > 1 ? ' (evenly spaced)' : ''}`, ticks: axis.ticks },
      y: { ticks: shareTicks },
      levels: chance === undefined ? [] : [{ at: chance, label: `chance ${percent(chance)}` }],
    };
    return plot(
      chart,
      `${word} against budget. The bold line is the worst case: for every sample the attack that worked best on it. Shaded: 95% Wilson interval; point at a line to see its own.`,
    );
  })}`;
}
