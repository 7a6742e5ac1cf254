/** @file The report of a run as one self-contained file. */
import { client } from './client.ts';
import { frame, section } from './frame.ts';
import { html } from './html.ts';
import type { ReportData } from './report-data.ts';
import { indexRun } from './run-index.ts';
import { audit } from './sections/audit.ts';
import { cellTable } from './sections/cells.ts';
import { confusion } from './sections/confusion.ts';
import { course } from './sections/course.ts';
import { curves } from './sections/curves.ts';
import { experiment } from './sections/experiment.ts';
import { flips } from './sections/flips.ts';
import { headline } from './sections/headline.ts';
import { reading } from './sections/reading.ts';
import { defaults, type SampleOptions, samples } from './sections/samples.ts';

/**
 * The report of a run as one HTML file: no network, works from disk, prints, and needs a script only for the detail view.
 * @param options how many samples and examples to draw at most
 */
export async function renderReport(data: ReportData, options: Partial<SampleOptions> = {}): Promise<string> {
  const index = indexRun(data);
  const how = course(data, index);
  const flipped = await flips(data, index);
  const noun = data.data.noun ?? 'samples';
  const page = await frame({
    name: data.name,
    what: 'report',
    date: data.date,
    version: data.version,
    script: client,
    sections: [
      ['result', 'Result'],
      ['budgets', 'Budgets'],
      ...(how === undefined ? [] : [['course', 'Attacks'] as const]),
      ...(flipped === undefined ? [] : [['flips', 'Flips'] as const]),
      ['confusions', 'Confusions'],
      ['samples', 'Samples'],
      ['audit', 'Audit'],
      ['experiment', 'Experiment'],
      ['reading', 'How to read'],
    ],
    body: html`${headline(data, index)}
${section('budgets', 'How much change does it take?', '', html`${curves(data, index)}${cellTable(data, index)}`)}
${how !== undefined && section('course', 'How did the attacks get there?', '', how)}
${flipped !== undefined && section('flips', 'What was flipped?', '', flipped)}
${section('confusions', 'What is taken for what?', '', confusion(data, index))}
${section('samples', `The ${noun}, one by one`, 'Choose one to see what was changed and what the model made of it.', await samples(data, index, { ...defaults, ...options }))}
${section('audit', 'Audit', '', audit(data))}
${section('experiment', 'What was run', '', experiment(data))}
${section('reading', 'How to read this', '', reading(data, index))}`,
    notes: [data.data.synthetic !== undefined && 'Synthetic data. ', data.audit.length === 0 && 'Not audited. '],
  });
  return page.markup;
}
