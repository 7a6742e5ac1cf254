/** @file The run seen from its budgets, attacks and samples: what every section looks things up in. */
import type { Status } from '../../kit/record/outcome.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Cell, Eps, WorstCase } from '../../kit/record/summary.ts';
import type { Norm } from '../../kit/threat/threat.ts';
import { epsText, normName } from './format.ts';
import type { AttackInfo, ReportData } from './report-data.ts';

export interface Budget {
  readonly key: string;
  readonly norm: Norm;
  readonly eps: Eps;
  /** e.g. "8/255"; with the norm in front where the run has several. */
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

const rowKey = (row: Row): string => {
  const names = Object.keys(row.eps);
  const first = names[0]!;
  return `${row.norm[first]} ${names.length === 1 ? row.eps[first] : epsKey(row.eps)}`;
};

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
  if (outer.norm !== inner.norm) return false;
  const [large, small] = [outer.eps, inner.eps];
  if (typeof large === 'number' || typeof small === 'number') return typeof large === typeof small && small <= large;
  return Object.keys(large).every((name) => (small[name] ?? Number.POSITIVE_INFINITY) <= large[name]!);
}

function budgetsOf(data: ReportData): Budget[] {
  const { worstCase } = data.summary;
  const norms = [...new Set(worstCase.map((worst) => worst.norm))];
  const ascending = [...worstCase].sort((a, b) => {
    if (a.norm !== b.norm) return norms.indexOf(a.norm) - norms.indexOf(b.norm);
    return typeof a.eps === 'number' && typeof b.eps === 'number' ? a.eps - b.eps : 0;
  });
  return ascending.map((worst) => {
    const text = epsText(worst.eps, worst.norm, data.model.inputs);
    const label = norms.length > 1 ? `${normName[worst.norm]} ${text}` : text;
    return { key: `${worst.norm} ${epsKey(worst.eps)}`, norm: worst.norm, eps: worst.eps, label, worst };
  });
}

/** Looks the run over once. */
export function indexRun(data: ReportData): RunIndex {
  const budgets = budgetsOf(data);
  const cells = new Map(data.summary.cells.map((cell) => [`${cell.attack} ${cell.norm} ${epsKey(cell.eps)}`, cell]));
  const byCell = new Map<string, Map<string, Row>>();
  const bySample = new Map<string, Row[]>();
  for (const row of data.rows) {
    const key = rowKey(row);
    const cell = byCell.get(`${row.attack} ${key}`) ?? new Map<string, Row>();
    cell.set(row.sample, row);
    byCell.set(`${row.attack} ${key}`, cell);
    const place = `${key} ${row.sample}`;
    const list = bySample.get(place);
    if (list === undefined) bySample.set(place, [row]);
    else list.push(row);
  }
  const headline = budgets.filter((budget) => budget.norm === budgets[0]!.norm).at(-1);
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
