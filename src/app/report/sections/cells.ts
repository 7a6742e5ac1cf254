/** @file The table behind the curves: a line for every attack and budget. */

import type { Row } from '../../../kit/record/row.ts';
import type { Cell } from '../../../kit/record/summary.ts';
import { count, duration, interval, number, percent, sizeText } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import type { Budget, RunIndex } from '../run-index.ts';

interface Column {
  readonly name: string;
  readonly about: string;
  /** Columns of text are sorted as text and stand left. */
  readonly text?: boolean;
}

const columns = (word: string): readonly Column[] => [
  { name: 'Attack', about: 'the attack', text: true },
  { name: 'Budget', about: 'largest change allowed' },
  { name: 'n', about: 'samples' },
  { name: 'Fooled', about: 'successes, confirmed on the saved and re-read example' },
  { name: 'Held', about: 'failures: nothing found within the budget' },
  { name: 'Skipped', about: 'already wrong before any attack' },
  { name: 'Invalid', about: 'could not be judged' },
  { name: 'Success rate', about: 'fooled / (fooled + held), with 95% Wilson interval' },
  { name: 'Unrounded', about: 'examples that fooled the model before they were rounded to what a file can hold' },
  { name: `Robust ${word}`, about: 'held / (n − invalid), with 95% Wilson interval' },
  { name: 'Mean size', about: 'mean size of the successful changes, each input in its norm' },
  { name: 'Forward', about: 'forward passes per sample, mean' },
  { name: 'Backward', about: 'backward passes per sample, mean' },
  { name: 'Queries', about: 'queries per sample, mean' },
  { name: 'Time', about: 'sum over samples' },
];

const mean = (rows: readonly Row[], of: (row: Row) => number): number =>
  rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + of(row), 0) / rows.length;

const cellOf = (sort: number, text: string | Markup): Markup => html`<td data-sort="${sort}">${text}</td>`;

const rate = (value: number, range: readonly [number, number]): Markup =>
  Number.isFinite(value) ? cellOf(value, html`${percent(value)} <small>${interval(range)}</small>`) : cellOf(-1, '—');

function line(data: ReportData, label: string, budget: Budget, position: number, cell: Cell, rows: readonly Row[]): Markup {
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const floatSuccess = rows.filter((row) => row.floatSuccess).length;
  const forwards = mean(rows, (row) => row.forwards);
  const backwards = mean(rows, (row) => row.backwards);
  const queries = mean(rows, (row) => row.queries);
  return html`<tr><th scope="row">${label}</th>${cellOf(position, budget.label)}${cellOf(cell.n, count(cell.n))}${cellOf(cell.success, count(cell.success))}${cellOf(cell.failure, count(cell.failure))}${cellOf(cell.skipped, count(cell.skipped))}${cellOf(cell.invalid, count(cell.invalid))}${
    cell.attackSuccessRate === null || cell.attackSuccessRateInterval === null
      ? cellOf(-1, '—')
      : rate(cell.attackSuccessRate, cell.attackSuccessRateInterval)
  }${cellOf(floatSuccess, count(floatSuccess))}${rate(cell.robustAccuracy, cell.robustAccuracyInterval)}${
    cell.meanNorm === null
      ? cellOf(-1, '—')
      : cellOf(
          typeof cell.meanNorm === 'number' ? cell.meanNorm : Object.values(cell.meanNorm)[0]!,
          sizeText(cell.meanNorm, cell.norm, data.model.inputs),
        )
  }${cellOf(forwards, number(forwards))}${cellOf(backwards, number(backwards))}${cellOf(queries, number(queries))}${cellOf(seconds, duration(seconds))}</tr>
`;
}

/** The cells as a table that sorts by any column. */
export function cellTable(data: ReportData, index: RunIndex): Markup {
  const word = data.data.agreement ? 'agreement' : 'accuracy';
  return html`<div class="scroll" tabindex="0" role="region" aria-label="All attacks and budgets"><table class="cells" id="cells">
<caption>All attacks and budgets. Forward, backward and queries are means per sample; a success carried over from a smaller budget costs nothing more. Choose a column to sort by it.</caption>
<thead><tr>${columns(word).map((column) => html`<th scope="col"${column.text && html` class="text"`}><button type="button" title="${column.about}">${column.name}</button></th>`)}</tr></thead>
<tbody>
${index.attacks.map((attack) =>
  index.budgets.map((budget, position) => {
    const cell = index.cell(attack.name, budget);
    return cell !== undefined && line(data, attack.label, budget, position, cell, [...index.rows(attack.name, budget).values()]);
  }),
)}</tbody>
<tfoot>${index.budgets.map(
    ({ label, worst }) =>
      html`<tr><th scope="row">Worst case</th><td>${label}</td><td>${count(data.summary.n)}</td><td colspan="6"></td>${rate(worst.robustAccuracy, worst.robustAccuracyInterval)}<td colspan="5"></td></tr>`,
  )}</tfoot></table></div>`;
}
