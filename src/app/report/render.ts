/** @file One self-contained file: everything inline, nothing fetched. */
import { client } from './client.ts';
import { html, type Markup, trusted } from './html.ts';
import { base64 } from './pictures.ts';
import type { ReportData } from './report-data.ts';
import { indexRun } from './run-index.ts';
import { audit } from './sections/audit.ts';
import { cellTable } from './sections/cells.ts';
import { confusion } from './sections/confusion.ts';
import { curves } from './sections/curves.ts';
import { experiment } from './sections/experiment.ts';
import { headline } from './sections/headline.ts';
import { reading } from './sections/reading.ts';
import { defaults, type SampleOptions, samples } from './sections/samples.ts';
import { style } from './style.ts';

const section = (id: string, title: string, lead: string, body: Markup): Markup => html`<section id="${id}">
<h2>${title}</h2>${lead !== '' && html`<p class="lead">${lead}</p>`}
${body}
</section>`;

/** Only this script may run, and nothing may be loaded: not even by mistake. */
async function policy(): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(client)));
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${base64(digest)}'; base-uri 'none'; form-action 'none'`;
}

/**
 * The report of a run as one HTML file: no network, works from disk, prints, and needs a script only for the detail view.
 * @param options how many samples and examples to draw at most
 */
export async function renderReport(data: ReportData, options: Partial<SampleOptions> = {}): Promise<string> {
  const index = indexRun(data);
  const noun = data.data.noun ?? 'samples';
  const day = data.date.slice(0, 10);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(await policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="provoke ${data.version}">
<link rel="icon" href="data:,">
<title>${data.name} — provoke report</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#result">Skip to the result</a>
<header class="top"><div><strong>provoke</strong><span>${data.name}</span><time datetime="${data.date}">${day}</time></div>
<nav aria-label="Sections">${[
    ['result', 'Result'],
    ['budgets', 'Budgets'],
    ['confusions', 'Confusions'],
    ['samples', 'Samples'],
    ['audit', 'Audit'],
    ['experiment', 'Experiment'],
    ['reading', 'How to read'],
  ].map(([id, title]) => html`<a href="#${id!}">${title!}</a>`)}</nav></header>
<main>
${headline(data, index)}
${section('budgets', 'How much change does it take?', '', html`${curves(data, index)}${cellTable(data, index)}`)}
${section('confusions', 'What is taken for what?', '', confusion(data, index))}
${section('samples', `The ${noun}, one by one`, 'Choose one to see what was changed and what the model made of it.', await samples(data, index, { ...defaults, ...options }))}
${section('audit', 'Audit', '', audit(data))}
${section('experiment', 'What was run', '', experiment(data))}
${section('reading', 'How to read this', '', reading(data, index))}
</main>
<footer><p>Made by provoke ${data.version} on ${day}. ${data.data.synthetic !== undefined && 'Synthetic data. '}${data.audit.length === 0 && 'Not audited. '}One file, no network; it may be copied and archived as it is.</p></footer>
<script>${trusted(client)}</script>
</body>
</html>
`;
  return page.markup;
}
