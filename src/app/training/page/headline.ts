/** @file The first screen of a training's page: one sentence from counts, what it may not be mistaken for, and the figures behind it. */
import { wilson } from '../../../kit/metrics/rates.ts';
import { type Evaluation, type Figures, figuresOf } from '../../../kit/nn/export/evaluate.ts';
import { budgetWords, count, duration, epsText, interval, nounOf, percent } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { bar, figure, unbroken } from '../../report/sections/headline.ts';
import type { Robustness, TrainingPage } from './page-data.ts';
import { syntheticWord } from './synthetic.ts';

/** What the page speaks of first: the test data, or the validation data where there are no others. */
export function judged({ provenance, classes }: TrainingPage): { evaluation: Evaluation; figures: Figures } | undefined {
  const evaluation = (['test', 'validation'] as const)
    .map((split) => provenance.evaluations.find((e) => e.split === split))
    .find((e) => e !== undefined);
  return evaluation === undefined ? undefined : { evaluation, figures: figuresOf(evaluation.confusion, classes) };
}

/** The sentence of the page, from counts only. */
export function headlineSentence(page: TrainingPage): string {
  const { name, classes, inputs, robustness } = page;
  const found = judged(page);
  const noun = nounOf(inputs);
  if (found === undefined) return `${name} was trained, and judged on nothing.`;
  const { evaluation, figures } = found;
  const right = figures.classes.reduce((sum, c) => sum + c.right, 0);
  const said = `${name} recognises ${count(right)} of ${count(figures.n)} ${syntheticWord(page.provenance, evaluation.split)}${evaluation.split} ${noun} (${percent(figures.accuracy)}; chance among ${classes.length} classes: ${percent(1 / classes.length)})`;
  if (robustness === undefined) return `${said}.`;
  const { eps, norm, n, clean, right: stood } = robustness;
  const words = budgetWords(epsText(eps, norm, inputs), norm, inputs);
  return `${said}. ${words} leaves ${stood === 0 ? 'none' : count(stood)} of the ${count(clean)} it recognised among ${count(n)}.`;
}

function banners(page: TrainingPage): Markup {
  const made = page.provenance.data.filter((d) => d.synthetic !== undefined);
  const found = judged(page);
  const ways = [...new Set(made.map((d) => d.synthetic!))];
  return html`<ul class="banners">
${made.length > 0 && html`<li class="warn"><b>Synthetic data.</b> ${made.length === page.provenance.data.length ? 'All samples were' : `${made.map((d) => d.split).join(', ')}: samples were`} generated (${ways.join('; ')}). The numbers test the machinery; they say nothing about real people.</li>`}
${found !== undefined && found.evaluation.split !== 'test' && html`<li class="warn"><b>No test data.</b> The figures are those of the validation data, which chose the weights: they flatter the model.</li>`}
${
  page.robustness === undefined
    ? html`<li><b>Robustness was not measured.</b> ${page.defence === undefined ? 'Trained without a defence: expect it to be fooled by small changes.' : `That it was trained with ${page.defence} is no evidence.`}</li>`
    : html`<li><b>A quick look, not an audit.</b> Robust accuracy is that against ${page.robustness.attack}, on ${count(page.robustness.n)} samples: an upper bound. Measure with <code>provoke run</code> before relying on it.</li>`
}
${page.notes.map((note) => html`<li class="warn">${note}</li>`)}
${page.stoppedEarly && html`<li><b>Stopped early</b> after ${page.history.length} epochs: the validation ${page.metric} had not become better.</li>`}
</ul>`;
}

const robustFigure = (page: TrainingPage, { split, eps, norm, n, right }: Robustness): Markup => {
  const share = n === 0 ? Number.NaN : right / n;
  return figure(
    `Robust accuracy at ${epsText(eps, norm, page.inputs)}`,
    percent(share),
    `an upper bound, on ${syntheticWord(page.provenance, split)}${split} data; 95% interval ${interval(wilson(right, n))}, n = ${count(n)}`,
    bar(share, wilson(right, n), 'hot'),
  );
};

function figures(page: TrainingPage): Markup {
  const found = judged(page);
  const best = page.history.find((e) => e.epoch === page.bestEpoch);
  return html`<dl class="figures">
${
  found !== undefined &&
  html`${figure(
    `Accuracy on ${syntheticWord(page.provenance, found.evaluation.split)}${found.evaluation.split} data`,
    percent(found.figures.accuracy),
    `95% interval ${interval(found.figures.interval)}, n = ${count(found.figures.n)}`,
    bar(found.figures.accuracy, found.figures.interval, 'calm'),
  )}
${figure('Unweighted average recall', percent(found.figures.averageRecall), 'mean over the classes: a frequent class cannot lift it')}`
}
${
  page.robustness === undefined
    ? best !== undefined &&
      figure(
        'Validation loss',
        best.validation.loss.toFixed(3),
        `cross-entropy in nats, epoch ${best.epoch}, on ${syntheticWord(page.provenance, 'validation')}data`,
      )
    : robustFigure(page, page.robustness)
}
${figure('Training', duration(page.seconds), `${page.history.length} epochs, ${count(page.provenance.training.steps)} steps; weights of epoch ${page.bestEpoch}`)}
</dl>`;
}

/** The head of the page. */
export function headline(page: TrainingPage): Markup {
  const data = [...new Set(page.provenance.data.filter((d) => d.split === 'train').map((d) => d.name))].join(', ');
  return html`<section id="result" class="hero">
<p class="kicker">${page.model} <span aria-hidden="true">·</span> ${data} <span aria-hidden="true">·</span> ${page.defence ?? 'standard training'}</p>
<h1>${unbroken(headlineSentence(page), page.name)}</h1>
${banners(page)}
${figures(page)}
</section>`;
}
