/** @file What was taken for what: clean beside attacked. */
import type { Row } from '../../../kit/record/row.ts';
import { html, json, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import type { RunIndex } from '../run-index.ts';

/** Counts by [label][prediction] over the given rows that could be judged. */
export function confusionCounts(rows: Iterable<Row>, classes: number, of: (row: Row) => number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const row of rows) if (row.status !== 'invalid') counts[row.label]![of(row)]!++;
  return counts;
}

const worstRows = (index: RunIndex, at: RunIndex['budgets'][number]): Row[] =>
  index.samples.flatMap((sample) => index.worst(sample, at) ?? []);

/** One matrix of counts; only the classes `shown` have a row and a column. */
export function matrix(
  counts: readonly (readonly number[])[],
  shown: readonly number[],
  classes: readonly string[],
  id: string,
  title: string,
): Markup {
  return html`<div class="scroll"><table class="confusion" id="${id}"><caption>${title}</caption>
<thead><tr><td></td>${shown.map((j) => html`<th scope="col"><span>${classes[j]!}</span></th>`)}</tr></thead>
<tbody>${shown.map((i) => {
    const total = counts[i]!.reduce((sum, value) => sum + value, 0);
    return html`<tr><th scope="row">${classes[i]!}</th>${shown.map((j) => {
      const value = counts[i]![j]!;
      const share = total === 0 ? 0 : value / total;
      return html`<td class="${i === j ? 'right' : 'wrong'}${share > 0.55 ? ' full' : ''}" style="--v:${share.toFixed(3)}">${value === 0 ? '' : value}</td>`;
    })}</tr>`;
  })}</tbody></table></div>`;
}

/** Two matrices; the second follows the chosen attack and budget. */
export function confusion(data: ReportData, index: RunIndex): Markup {
  const { classes } = data.model;
  const budget = index.headline;
  if (budget === undefined || data.rows.length === 0) return html`<p>No rows, no confusions.</p>`;
  const choices = [{ name: '', label: 'Worst case' }, ...index.attacks];
  const tables = choices.flatMap((choice, a) =>
    index.budgets.flatMap((at, b) => {
      const rows = choice.name === '' ? worstRows(index, at) : [...index.rows(choice.name, at).values()];
      return rows.length === 0 ? [] : [{ a: a - 1, b, counts: confusionCounts(rows, classes.length, (row) => row.prediction) }];
    }),
  );
  const clean = confusionCounts(worstRows(index, budget), classes.length, (row) => row.cleanPrediction);
  const attacked = confusionCounts(worstRows(index, budget), classes.length, (row) => row.prediction);
  const all = [clean, ...tables.map((table) => table.counts)];
  const shown = classes
    .map((_, i) => i)
    .filter((i) => all.some((counts) => counts[i]!.some((v) => v > 0) || counts.some((row) => row[i]! > 0)));
  const compact = tables.map((table) => ({ ...table, counts: shown.map((i) => shown.map((j) => table.counts[i]![j]!)) }));
  const answer = data.data.agreement ? 'clean answer' : 'label';
  return html`<div class="controls" id="confusion-controls" hidden><label>Attack <select id="confusion-attack">${choices.map((choice, a) => html`<option value="${a - 1}">${choice.label}</option>`)}</select></label>
<label>Budget <select id="confusion-budget">${index.budgets.map((at, b) => html`<option value="${b}"${at === budget && html` selected`}>${at.label}</option>`)}</select></label></div>
<div class="pair${shown.length > 10 ? ' stacked' : ''}">
${matrix(clean, shown, classes, 'confusion-clean', 'Clean')}
${matrix(attacked, shown, classes, 'confusion-attacked', `Worst case at ${budget.label}`)}
</div>
<p class="note">Rows: the ${answer}. Columns: the model’s answer. Shade: share of the row; blue where the two are the same, orange where they are not.${shown.length < classes.length && ` ${classes.length - shown.length} of ${classes.length} classes never occur and are left out.`}</p>
<script type="application/json" id="confusion-data">${json(compact)}</script>`;
}
