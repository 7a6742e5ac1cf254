/** @file The learning-curve page of a training as one self-contained file, in the look of the report. */
import { frame, section } from '../../report/frame.ts';
import { html } from '../../report/html.ts';
import { classFigures } from './classes.ts';
import { learningCurves } from './curves.ts';
import { headline } from './headline.ts';
import { origin } from './origin.ts';
import type { TrainingPage } from './page-data.ts';

/** The page: no network, no script, works from disk, prints. */
export async function renderTraining(page: TrainingPage): Promise<string> {
  const synthetic = page.provenance.data.some((d) => d.synthetic !== undefined);
  const made = await frame({
    name: page.name,
    what: 'training',
    date: page.date,
    version: page.version,
    sections: [
      ['result', 'Result'],
      ['curves', 'Learning curves'],
      ['classes', 'Classes'],
      ['training', 'What was trained'],
    ],
    body: html`${headline(page)}
${section('curves', 'How did training go?', '', learningCurves(page))}
${section('classes', 'What is taken for what?', '', classFigures(page))}
${section('training', 'What was trained', '', origin(page))}`,
    notes: [synthetic && 'Synthetic data. ', 'Not audited. '],
  });
  return made.markup;
}
