/** @file The first screen: one sentence anyone understands, what it may not be mistaken for, and the four figures behind it. */

import { relaxedInputs } from '../../../kit/threat/relaxed.ts';
import { flipSentence } from '../events/words.ts';
import { compare, control, strongest, tally, worstTally } from '../findings.ts';
import { budgetWords, count, interval, nounOf, number, percent } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import type { RunIndex } from '../run-index.ts';

/** The names of checks that forbid a claim. */
export const raisedFailures = (data: ReportData): string[] =>
  data.audit.filter((check) => check.severity === 'fail' && check.verdict === 'raised').map((check) => check.id);

/** The sentence of the report, from counts only. */
export function headlineSentence(data: ReportData, index: RunIndex): string {
  const budget = index.headline;
  const noun = data.data.noun ?? nounOf(data.model.inputs);
  const name = data.model.name;
  if (budget === undefined || data.summary.n === 0) return `No ${noun} were attacked, so there is nothing to say about ${name}.`;
  const raised = raisedFailures(data);
  if (raised.length > 0)
    return `The audit found the attack itself unsound (${raised.join(', ')}), so this run says nothing about ${name}.`;
  const worst = worstTally(index, budget);
  if (worst.attacked === 0 && worst.skipped === 0) return `No outcome could be judged, so there is nothing to say about ${name}.`;
  if (worst.attacked === 0) {
    const before = data.goal === 'untargeted' ? 'was already wrong' : 'was wrong or already gave the answer asked for';
    return `${name} ${before} on all ${count(worst.skipped)} ${noun} that could be judged, before any attack.`;
  }
  const best = strongest(index, budget);
  const noise = control(index, budget);
  const words = budgetWords(budget.label, budget.norm, data.model.inputs, budget.eps);
  const verb =
    data.goal !== 'untargeted'
      ? `gave the attacker the answer asked for (${data.goal}) from`
      : data.data.agreement
        ? 'changed the answer of'
        : 'fooled';
  const by =
    best === undefined
      ? ''
      : best.success === worst.success
        ? ` (${best.label})`
        : ` (${best.label} alone: ${count(best.success)})`;
  const found =
    worst.success === 0
      ? `${words} ${verb} ${name} on none of ${count(worst.attacked)} ${noun}, with the attacks that were tried`
      : `${words} ${verb} ${name} on ${count(worst.success)} of ${count(worst.attacked)} ${noun}${by}`;
  if (noise === undefined || best === undefined) return `${found}.`;
  const random = tally(noise.cell);
  return `${found}; random noise of the same size on ${random.success === 0 ? 'none' : count(random.success)} of ${count(random.attacked)}.`;
}

/** Whether less than the largest budget did as much; undefined where it did not. */
export function alreadyEnough(data: ReportData, index: RunIndex): string | undefined {
  const budget = index.headline;
  if (budget === undefined || raisedFailures(data).length > 0) return undefined;
  const { success } = worstTally(index, budget);
  const smaller = index.budgets.filter((one) => one.kind === budget.kind && one !== budget);
  const enough = smaller.find((one) => worstTally(index, one).success === success);
  return success === 0 || enough === undefined
    ? undefined
    : `A budget of ${enough.label} was already enough for ${success === 1 ? 'it' : 'all of them'}.`;
}

/** A share and its 95% interval on a line from 0 to 1. */
export const bar = (value: number, [low, high]: readonly [number, number], tone: string): Markup | false =>
  Number.isFinite(value) &&
  html`<div class="range ${tone}" role="img" aria-label="${percent(value)}, 95% interval ${interval([low, high])}"><i style="left:${(100 * low).toFixed(2)}%;width:${(100 * (high - low)).toFixed(2)}%"></i><b style="left:${(100 * value).toFixed(2)}%"></b></div>`;

/** One of the large figures of the head. */
export const figure = (
  name: string,
  value: string,
  detail: string,
  chart: Markup | false = false,
): Markup => html`<div class="figure">
<dt>${name}</dt><dd><strong>${value}</strong>${chart}<span>${detail}</span></dd></div>`;

function figures(data: ReportData, index: RunIndex): Markup {
  const { summary } = data;
  const word = data.data.agreement ? 'agreement' : 'accuracy';
  const budget = index.headline;
  const byDefinition = data.data.agreement && summary.cleanAccuracy === 1;
  const silent = raisedFailures(data).length > 0;
  const noise = budget && control(index, budget);
  const best = budget && strongest(index, budget);
  const paired = budget && noise && best && compare(index, best.attack, noise.name, budget);
  const against =
    paired === undefined || paired.pairs === 0 || silent
      ? ''
      : `. Best attack against noise, ${count(paired.pairs)} shared ${paired.pairs === 1 ? 'sample' : 'samples'}: p ${paired.p < 1e-4 ? '< 0.0001' : `= ${number(paired.p, 2)}`} (exact McNemar)`;
  const groups = new Set(data.rows.map((row) => row.group)).size;
  const invalid = new Set(data.rows.filter((row) => row.status === 'invalid').map((row) => row.sample)).size;
  const left = [
    groups > 0 && groups < summary.n ? `${count(groups)} groups; intervals treat samples as independent` : '',
    invalid > 0 ? `${count(invalid)} with an outcome that could not be judged` : '',
    data.data.problems.length > 0 ? `${count(data.data.problems.length)} items could not be read` : '',
  ].filter((text) => text !== '');
  return html`<dl class="figures">
${figure(`Clean ${word}`, percent(summary.cleanAccuracy), byDefinition ? 'by definition: the labels are the model’s own answers' : `95% interval ${interval(summary.cleanAccuracyInterval)}`, byDefinition ? false : bar(summary.cleanAccuracy, summary.cleanAccuracyInterval, 'calm'))}
${
  budget !== undefined &&
  (silent
    ? figure(`Robust ${word}, worst case`, '—', 'no claim: the audit raised a failure')
    : figure(
        `Robust ${word}, worst case at ${budget.label}`,
        percent(budget.worst.robustAccuracy),
        `95% interval ${interval(budget.worst.robustAccuracyInterval)}`,
        bar(budget.worst.robustAccuracy, budget.worst.robustAccuracyInterval, 'hot'),
      ))
}
${
  budget !== undefined &&
  (noise === undefined
    ? figure('Noise control', '—', 'no control of equal size was run')
    : figure(
        `With random noise of ${budget.label}`,
        percent(noise.cell.robustAccuracy),
        `95% interval ${interval(noise.cell.robustAccuracyInterval)}${against}`,
        bar(noise.cell.robustAccuracy, noise.cell.robustAccuracyInterval, 'calm'),
      ))
}
${figure('Samples', count(summary.n), left.length > 0 ? left.join('; ') : `${count(data.rows.length)} attacked, re-read and judged outcomes`)}
</dl>`;
}

function banners(data: ReportData): Markup {
  const raised = data.audit.filter((check) => check.verdict === 'raised');
  return html`<ul class="banners">
${data.data.synthetic !== undefined && html`<li class="warn"><b>Synthetic data.</b> Every number here was measured on generated data (${data.data.synthetic}). It tests the machinery; it says nothing about real people.</li>`}
${relaxedInputs(data.model.inputs).length > 0 && html`<li class="warn"><b>Relaxed, not realisable.</b> The examples are frames of changed event counts, which no recording of events gives. Attack binary frames by flips for examples that can be saved as events.</li>`}
${data.data.agreement && html`<li class="warn"><b>Agreement, not accuracy.</b> The labels are the model’s own clean predictions: nothing here says how often the model is right.</li>`}
${
  data.audit.length === 0
    ? html`<li><b>Not audited.</b> No check of the attack’s own soundness was run: a model can look safe because an attack failed for technical reasons.</li>`
    : raised.length === 0
      ? html`<li><b>Audit: no red flag found</b> in ${data.audit.length} checks. That is not a proof of robustness.</li>`
      : html`<li class="warn"><b>Audit: ${raised.length} of ${data.audit.length} checks raised.</b> See <a href="#audit">Audit</a>.</li>`
}
${data.model.coupling === 'batch' && html`<li class="warn"><b>Batch-coupled.</b> This model’s answer for a sample depends on its batch mates; groups were fixed and are part of the result.</li>`}
</ul>`;
}

/** The sentence with the model's name kept on one line, where it is short enough for a phone. */
export const unbroken = (sentence: string, name: string): Markup => {
  const [before = '', ...after] = name.length > 24 ? [sentence] : sentence.split(name);
  return html`${before}${after.map((part) => html`<span class="name">${name}</span>${part}`)}`;
};

/** The head of the page. */
export function headline(data: ReportData, index: RunIndex): Markup {
  const already = alreadyEnough(data, index);
  const flips = flipSentence(data, index);
  return html`<section id="result" class="hero">
<p class="kicker">${data.model.name} <span aria-hidden="true">·</span> ${data.data.name}</p>
<h1>${unbroken(headlineSentence(data, index), data.model.name)}</h1>
${already !== undefined && html`<p class="already">${already}</p>`}
${flips !== undefined && html`<p class="already">${flips}</p>`}
${banners(data)}
${figures(data, index)}
</section>`;
}
