/** @file The results of a study as one self-contained HTML file. */
import type { Chapter, Chart, Claim, Table } from '../../judgement/chapter.ts';
import { duration, percent } from '../report/format.ts';
import { frame, section } from '../report/frame.ts';
import { html, type Markup } from '../report/html.ts';
import { chartMarkup } from './chart.ts';
import { type StudyRecord, syntheticNotes, timeText } from './record.ts';

const tableMarkup = ({ title, head, rows }: Table): Markup => html`<div class="scroll"><table class="study">
<caption>${title}</caption>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cellMarkup(cell)}</td>`)}</tr>`)}</tbody>
</table></div>`;

/** "61.5 [54.2, 68.3]" with its interval below. */
const cellMarkup = (cell: string): Markup | string => {
  const parts = /^(\S+) (\[.*\])$/.exec(cell);
  return parts === null ? cell : html`${parts[1]}<small>${parts[2]}</small>`;
};

const claimMarkup = ({ claim, tested, verdict, because }: Claim): Markup =>
  html`<li class="${verdict === 'does not hold' ? 'warn' : ''}"><b>${verdict}</b>: ${claim}<br>${because} <small>(${tested})</small></li>`;

/** Side by side where there are several. */
const chartsMarkup = (charts: readonly Chart[]): Markup =>
  html`<div class="charts${charts.length === 1 && ' one'}">${charts.map((chart) => html`<div><h3>${chart.title}</h3>${chartMarkup(chart, charts.length === 1 ? 'page' : 'half')}</div>`)}</div>`;

const chapterMarkup = ({ title, paragraphs, tables, charts = [] }: Chapter, i: number): Markup =>
  section(
    `chapter${i}`,
    title,
    '',
    html`${paragraphs.map((text) => html`<p>${text}</p>`)}${charts.length > 0 && chartsMarkup(charts)}${tables.map(tableMarkup)}`,
  );

/** The page: claims, a section per part, and links to the report of every run. */
export async function studyPage(record: StudyRecord): Promise<string> {
  const { name, chapters, runs, versions, processors, seed, date } = record;
  const claims = chapters.flatMap((chapter) => chapter.claims);
  const synthetic = syntheticNotes(record);
  const page = await frame({
    name,
    what: 'study',
    date,
    version: versions.provoke ?? '',
    sections: [['claims', 'Claims'], ...chapters.map(({ title }, i) => [`chapter${i}`, title] as const), ['runs', 'Runs']],
    body: html`<section id="claims" class="hero">
<p class="kicker">A study of ${record.system} models: ${runs.length} runs, ${timeText(record)} on ${processors} logical processors, seed ${seed}</p>
<h1>${name}</h1>
<ul class="banners">${synthetic.map((text) => html`<li class="warn"><b>Synthetic data.</b> ${text}</li>`)}${claims.map(claimMarkup)}</ul>
</section>
${chapters.map(chapterMarkup)}
${section(
  'runs',
  'Runs',
  'Each has a report of its own, with every sample.',
  html`<div class="scroll"><table class="study"><thead><tr>${['run', 'model', 'data', 'samples', 'clean accuracy', 'time'].map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${runs.map((run) => html`<tr><th scope="row"><a href="${run.report}">${run.name}</a></th><td>${run.model} <small>${run.sha256.slice(0, 12)}</small></td><td>${run.data}</td><td>${run.samples}</td><td>${percent(run.cleanAccuracy)}</td><td>${duration(run.seconds)}</td></tr>`)}</tbody></table></div>`,
)}`,
    notes: [synthetic.length > 0 && 'Synthetic data. '],
  });
  return page.markup;
}
