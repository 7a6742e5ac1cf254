/** @file What was run, on what, with what: enough to run it again. */
import { count, duration } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';

/** A titled list, or a sentence where it is empty. */
export const list = (title: string, items: readonly string[], none: string): Markup =>
  html`<h3>${title}</h3>${
    items.length === 0 ? html`<p class="none">${none}</p>` : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`
  }`;

/** A table of two columns; rows without a value are left out. */
export const facts = (rows: readonly (readonly [string, string | Markup | undefined])[]): Markup =>
  html`<table class="facts"><tbody>${rows.map(
    ([name, value]) => value !== undefined && value !== '' && html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table>`;

export const hash = (value: string): Markup => html`<code class="hash">${value}</code>`;

const bounds = (value: ReportData['model']['inputs'][string]['bounds']): string =>
  value === 'unbounded' ? 'unbounded' : `${[value.lower].flat().join(', ')} to ${[value.upper].flat().join(', ')}`;

function inputs(data: ReportData): Markup {
  return html`<div class="scroll"><table class="inputs"><caption>Inputs of the model</caption><thead><tr>${['Name', 'Shape of one sample', 'Layout', 'Holds', 'Bounds', 'Kept as', 'Role'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${Object.entries(data.model.inputs).map(
    ([name, spec]) =>
      html`<tr><th scope="row">${name}</th><td>${spec.shape.join(' × ')}</td><td>${spec.layout}</td><td>${spec.modality}, ${spec.unit}</td><td>${bounds(spec.bounds)}</td><td>${spec.storage}</td><td>${spec.role}</td></tr>`,
  )}</tbody></table></div>`;
}

/** Model, data, experiment and provenance. */
export function experiment(data: ReportData): Markup {
  const { model } = data;
  return html`<div class="columns"><div>
<h3>Model</h3>
${facts([
  ['Name', model.name],
  ['sha256', hash(model.sha256)],
  ['Classes', `${model.classes.length}: ${model.classes.join(', ')}`],
  ['Note', model.note],
])}
${list('Inferred, not stated', model.inferred, 'Nothing: everything about the model was stated.')}
${list('Substitutes in the gradient', data.substitutes, 'None: every derivative is that of the model itself.')}
${list('Where no gradient passes', data.cuts, 'Nowhere that was found.')}
</div><div>
<h3>Data</h3>
${facts([
  ['Name', data.data.name],
  ['Samples', count(data.data.n)],
  ['Labels', data.data.labelsAre],
  ['Synthetic', data.data.synthetic],
  ['sha256', data.data.sha256 === undefined ? undefined : hash(data.data.sha256)],
])}
${list(
  'Items that could not be used',
  data.data.problems.map((problem) => `${problem.item}: ${problem.reason}`),
  'None.',
)}
${list('What the run had to adapt', data.notes, 'Nothing.')}
</div></div>
${inputs(data)}
<h3>Experiment</h3>
<p class="note">As it was run, defaults filled in.</p>
<pre tabindex="0"><code>${data.experiment.trimEnd()}</code></pre>
<div class="columns"><div><h3>Provenance</h3>
${facts([
  ['Run', data.name],
  ['Ended', data.date],
  ['Seed', String(data.seed)],
  ['Goal', data.goal],
  ['provoke', data.version],
  ...Object.entries(data.versions).filter(([name]) => name !== 'provoke'),
])}</div><div><h3>Time</h3>
${data.timings.length === 0 ? html`<p class="none">Not recorded.</p>` : facts(data.timings.map(({ what, seconds }) => [what, duration(seconds)] as const))}</div></div>`;
}
