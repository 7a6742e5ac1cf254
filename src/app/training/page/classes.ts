/** @file What is taken for what, and how well each class is recognised. */
import { count, interval, percent } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { matrix } from '../../report/sections/confusion.ts';
import { bar } from '../../report/sections/headline.ts';
import { judged } from './headline.ts';
import type { TrainingPage } from './page-data.ts';
import { syntheticWord } from './synthetic.ts';

/** Confusion matrix and per-class recall of the test data. */
export function classFigures(page: TrainingPage): Markup {
  const found = judged(page);
  if (found === undefined) return html`<p>Nothing was judged, so there is nothing to show.</p>`;
  const { evaluation, figures } = found;
  const judgedOn = `${syntheticWord(page.provenance, evaluation.split)}${evaluation.split} data`;
  const all = page.classes.map((_, i) => i);
  return html`<div class="pair${all.length > 10 ? ' stacked' : ''}">
<div>${matrix(evaluation.confusion, all, page.classes, 'confusion', `Clean ${judgedOn}, n = ${count(figures.n)}`)}
<p class="note">Rows: the label. Columns: the model’s answer. Shade: share of the row.</p></div>
<div class="scroll"><table class="inputs"><caption>Recall: share of the samples of a class that is recognised, ${judgedOn}</caption><thead><tr>${['Class', 'n', 'Recall', '95 %', 'Precision'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${figures.classes.map(
    (c) =>
      html`<tr><th scope="row">${c.name}</th><td>${count(c.n)}</td><td>${c.recall === undefined ? 'none in the data' : percent(c.recall)}${c.recall !== undefined && bar(c.recall, c.interval, 'calm')}</td><td>${c.recall === undefined ? '' : interval(c.interval)}</td><td>${c.precision === undefined ? 'never predicted' : percent(c.precision)}</td></tr>`,
  )}</tbody></table></div>
</div>`;
}
