/** @file The run seen from its budgets, attacks and samples: what every section looks things up in. */

import { budgetOf } from '../../kit/metrics/summary.ts';
import type { Status } from '../../kit/record/outcome.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Cell, Eps, Norms, WorstCase } from '../../kit/record/summary.ts';
import { budgetText, epsText, normKey } from './format.ts';
import type { AttackInfo, ReportData } from './report-data.ts';

export interface Budget {
  readonly key: string;
  readonly norm: Norms;
  /** Budgets of one kind share it: norms by input. */
  readonly kind: string;
  readonly eps: Eps;
  /** e.g. "8/255"; with the norm in front where the run or its inputs have several. */
  readonly label: string;
  readonly worst: WorstCase;
}

export interface RunIndex {
  /** Norm by norm as the summary names them, ascending within a norm. */
  readonly budgets: readonly Budget[];
  /** The budget the headline is about: the largest of the first norm. */
  readonly headline: Budget | undefined;
  readonly attacks: readonly (AttackInfo & { readonly label: string })[];
  /** Sample names in the order of the rows. */
  readonly samples: readonly string[];
  cell(attack: string, budget: Budget): Cell | undefined;
  /** Rows of one attack at one budget, by sample. */
  rows(attack: string, budget: Budget): ReadonlyMap<string, Row>;
  /** The row that decides a sample's worst case at a budget: a success at it or at one contained in it, else its worst outcome at it. */
  worst(sample: string, budget: Budget): Row | undefined;
}

const epsKey = (eps: Eps): string =>
  typeof eps === 'number'
    ? String(eps)
    : Object.keys(eps)
        .sort()
        .map((name) => `${name}=${eps[name]}`)
        .join(',');

const budgetKey = ({ norm, eps }: { readonly norm: Norms; readonly eps: Eps }): string => `${normKey(norm)} ${epsKey(eps)}`;

const acronym = (name: string): string => (name.length <= 4 ? name.toUpperCase() : name);

const rank: Readonly<Record<Status, number>> = { success: 0, skipped: 1, failure: 2, invalid: 3 };

const sizeOf = (row: Row): number => {
  const first = Object.keys(row.norm)[0]!;
  return row.norms[first]?.[row.norm[first]!] ?? 0;
};

/** The row of the worst outcome: a success before anything else, and of several the smallest change. */
export const worstRow = (rows: readonly Row[]): Row | undefined =>
  rows.reduce<Row | undefined>((best, row) => {
    if (best === undefined || rank[row.status] < rank[best.status]) return row;
    return row.status === 'success' && best.status === 'success' && sizeOf(row) < sizeOf(best) ? row : best;
  }, undefined);

/** Whether what `inner` allows, `outer` allows too. */
function contains(outer: Budget, inner: Budget): boolean {
  if (outer.kind !== inner.kind) return false;
  const [large, small] = [outer.eps, inner.eps];
  if (typeof large === 'number' || typeof small === 'number') return typeof large === typeof small && small <= large;
  return Object.keys(large).every((name) => (small[name] ?? Number.POSITIVE_INFINITY) <= large[name]!);
}

function budgetsOf(data: ReportData): Budget[] {
  const { worstCase } = data.summary;
  const kinds = [...new Set(worstCase.map((worst) => normKey(worst.norm)))];
  const ascending = [...worstCase].sort((a, b) => {
    const [first, second] = [kinds.indexOf(normKey(a.norm)), kinds.indexOf(normKey(b.norm))];
    if (first !== second) return first - second;
    return typeof a.eps === 'number' && typeof b.eps === 'number' ? a.eps - b.eps : 0;
  });
  return ascending.map((worst) => {
    const { norm, eps } = worst;
    const write = kinds.length > 1 || typeof norm !== 'string' ? budgetText : epsText;
    return { key: budgetKey(worst), kind: normKey(norm), norm, eps, label: write(eps, norm, data.model.inputs), worst };
  });
}

/** Looks the run over once. */
export function indexRun(data: ReportData): RunIndex {
  const budgets = budgetsOf(data);
  const cells = new Map(data.summary.cells.map((cell) => [`${cell.attack} ${budgetKey(cell)}`, cell]));
  const byCell = new Map<string, Map<string, Row>>();
  const bySample = new Map<string, Row[]>();
  for (const row of data.rows) {
    const key = budgetKey(budgetOf(row));
    const cell = byCell.get(`${row.attack} ${key}`) ?? new Map<string, Row>();
    cell.set(row.sample, row);
    byCell.set(`${row.attack} ${key}`, cell);
    const place = `${key} ${row.sample}`;
    const list = bySample.get(place);
    if (list === undefined) bySample.set(place, [row]);
    else list.push(row);
  }
  const headline = budgets.filter((budget) => budget.kind === budgets[0]!.kind).at(-1);
  return {
    budgets,
    headline,
    attacks: data.attacks.map((attack) => ({ ...attack, label: attack.label ?? acronym(attack.name) })),
    samples: [...new Set(data.rows.map((row) => row.sample))],
    cell: (attack, budget) => cells.get(`${attack} ${budget.key}`),
    rows: (attack, budget) => byCell.get(`${attack} ${budget.key}`) ?? new Map<string, Row>(),
    worst: (sample, budget) => {
      const at = worstRow(bySample.get(`${budget.key} ${sample}`) ?? []);
      if (at?.status === 'success') return at;
      const within = budgets.filter((inner) => inner !== budget && contains(budget, inner));
      const earlier = within
        .flatMap((inner) => bySample.get(`${inner.key} ${sample}`) ?? [])
        .filter((row) => row.status === 'success');
      return worstRow(earlier) ?? at;
    },
  };
}

/** Whether an attack is a control: it never looks at the model. */
export const isControl = (attack: AttackInfo): boolean => attack.needs === 'none';

/** Colour (a CSS class) and mark of a line. */
export interface Tone {
  readonly tone: string;
  readonly mark: number;
}

/** Those of the i-th of any number of lines: thirty that differ. */
export const toneOf = (i: number): Tone => ({ tone: `tone-${i % 6}`, mark: 1 + (i % 5) });

/** Colour and mark of every attack, the same in all charts. */
export function tones(index: RunIndex): ReadonlyMap<string, Tone> {
  const tried = index.attacks.filter((attack) => !isControl(attack));
  return new Map(
    index.attacks.map((attack) => {
      const i = tried.indexOf(attack);
      return [attack.name, i < 0 ? { tone: 'control', mark: 0 } : toneOf(i)];
    }),
  );
}
