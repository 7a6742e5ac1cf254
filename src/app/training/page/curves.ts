/** @file How training went: loss, accuracy, learning rate and gradient norm over epochs. */
import { defences } from '../../../methods/defences/registry.ts';
import { number, percent } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { chart } from './chart.ts';
import type { TrainingPage } from './page-data.ts';
import { syntheticWord } from './synthetic.ts';

/** The four charts. */
export function learningCurves({ history, bestEpoch: kept, classes, defence, provenance }: TrainingPage): Markup {
  const [trained, validated] = [syntheticWord(provenance, 'train'), syntheticWord(provenance, 'validation')];
  const during = (made: boolean): string =>
    made && defence !== undefined
      ? `while the weights moved, on what ${defence} made of the ${trained}samples`
      : `while the weights moved, on augmented ${trained}samples`;
  const counted = defence !== undefined && Object.hasOwn(defences, defence) ? defences[defence]!.counted : 'clean';
  const chance = 1 / classes.length;
  return html`<div class="pair">
${chart({
  title: 'Loss',
  caption: `Training: the mean of what the steps minimised, ${during(true)}. Validation: mean cross-entropy of clean ${validated}samples after each epoch.`,
  lines: [
    { label: 'training', tone: 'tone-1', values: history.map((e) => e.loss) },
    { label: 'validation', tone: 'tone-0', values: history.map((e) => e.validation.loss) },
  ],
  kept,
})}
${chart({
  title: 'Accuracy',
  caption: `Training is counted ${during(counted === 'crafted')}, so it may lie below validation. Recall: the mean over the classes, on the ${validated}validation data.`,
  lines: [
    { label: 'training', tone: 'tone-1', values: history.map((e) => e.accuracy) },
    { label: 'validation', tone: 'tone-0', values: history.map((e) => e.validation.accuracy) },
    { label: 'recall', tone: 'tone-2', values: history.map((e) => e.validation.recall) },
  ],
  format: percent,
  tick: (value) => `${Math.round(100 * value)}%`,
  range: [0, 1],
  level: { at: chance, label: `chance ${percent(chance)}` },
  kept,
})}
${chart({
  title: 'Learning rate',
  caption: 'Of the last step of each epoch.',
  lines: [{ label: 'learning rate', tone: 'tone-4', values: history.map((e) => e.lr) }],
  range: [0, 1.04 * Math.max(...history.map((e) => e.lr))],
  kept,
})}
${chart({
  title: 'Gradient norm',
  caption: 'Length of the gradient of all parameters together, before clipping.',
  lines: [
    { label: 'largest', tone: 'control', values: history.map((e) => e.norm.max) },
    { label: 'mean', tone: 'tone-3', values: history.map((e) => e.norm.mean) },
  ],
  kept,
})}
</div>
<p class="note">The dotted vertical line is the epoch whose weights were kept. Point at a line for its numbers.</p>
<div class="scroll"><table class="inputs"><caption>All epochs${trained !== '' && `: training on ${trained}samples`}${validated !== '' && `${trained === '' ? ':' : ','} validation on ${validated}samples`}</caption><thead><tr>${['Epoch', 'Training loss', 'Training accuracy', 'Validation loss', 'Validation accuracy', 'Recall', 'Learning rate', 'Gradient norm', 'Seconds'].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${history.map((e) => html`<tr><th scope="row">${e.epoch}${e.epoch === kept && ' (kept)'}</th>${[number(e.loss), percent(e.accuracy), number(e.validation.loss), percent(e.validation.accuracy), percent(e.validation.recall), number(e.lr), number(e.norm.mean), number(e.seconds)].map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}
