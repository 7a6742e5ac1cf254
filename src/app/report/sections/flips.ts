/** @file Of inputs made of events: what was flipped, how much of it, where, and whether it lasts when the recording is cut anew. */
import type { EventSummary } from '../../../kit/record/event-facts.ts';
import type { Row } from '../../../kit/record/row.ts';
import { largest } from '../axes.ts';
import { markedReel, originalReel } from '../events/film.ts';
import { flipLegend, rasterCaption } from '../events/legend.ts';
import { raster } from '../events/raster.ts';
import { eventInput, summaryWords } from '../events/words.ts';
import { changedValues, count, interval, number, percent, shareOf } from '../format.ts';
import { html, type Markup } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import type { Budget, RunIndex } from '../run-index.ts';

/** The section; undefined where there is no input of that kind, or nothing was flipped. */
export async function flips(data: ReportData, index: RunIndex): Promise<Markup | undefined> {
  const input = eventInput(data);
  const budget = index.headline;
  if (input === undefined || budget === undefined) return undefined;
  const cells = index.attacks.flatMap(({ name, label }) => {
    const events = index.cell(name, budget)?.events;
    return events === undefined ? [] : [{ name, label, events }];
  });
  if (cells.length === 0) return undefined;
  return html`${await chosen(data, index, budget, input.name)}
<h3>How many flips did it take?</h3>
${histogram(index, budget, input.name)}
<h3>What was added, what was taken away?</h3>
${amounts(data, budget, input.name, cells)}
<h3>Where do the flips lie?</h3>
<dl class="definitions">${cells.map(({ label, events }) => html`<div><dt>${label}</dt><dd>${summaryWords(events)}.</dd></div>`)}</dl>
<p class="note">Medians over the examples at ${budget.label}. Of few flips, such figures say little.</p>`;
}

const flipsOf = (row: Row, input: string): number => row.norms[input]?.l0 ?? 0;

/** The examples with the fewest flips, the middle and the most. */
async function chosen(data: ReportData, index: RunIndex, budget: Budget, input: string): Promise<Markup | false> {
  const broken = index.samples
    .flatMap((sample) => index.worst(sample, budget) ?? [])
    .filter((row) => row.status === 'success')
    .sort((a, b) => flipsOf(a, input) - flipsOf(b, input));
  const places = [...new Set([0, Math.floor((broken.length - 1) / 2), broken.length - 1])];
  const words = ['the fewest flips', 'the middle', 'the most'];
  const figures: Markup[] = [];
  for (const [k, place] of places.entries()) {
    const row = broken[place];
    const pictures = row && (await data.picture?.(row));
    if (row === undefined || pictures?.kind !== 'events' || pictures.adversarial === undefined) continue;
    const { shape, original, adversarial, recordings } = pictures;
    const { classes, inputs } = data.model;
    const rank = places.length === 1 ? 'the only example' : places.length === 2 && k === 1 ? words[2]! : words[k]!;
    const attack = index.attacks.find(({ name }) => name === row.attack)!.label;
    figures.push(html`<div class="films" tabindex="0" role="group" aria-label="${row.sample}: ${rank}">
<p><b>${classes[row.cleanPrediction]!} → ${classes[row.prediction]!}</b> <span class="meta">${rank}: ${changedValues(flipsOf(row, input), inputs[input])}, ${attack}, ${row.sample}</span></p>
<div class="reels"><figure>${originalReel({ shape, frames: original, recording: recordings?.original }, `original of ${row.sample}, frame by frame`, true)}<figcaption>original</figcaption></figure>
<figure>${markedReel({ shape, frames: adversarial, recording: recordings?.adversarial }, original, `attacked version of ${row.sample}, frame by frame`, true)}<figcaption>${flipLegend}</figcaption></figure>
${
  recordings?.adversarial !== undefined &&
  html`<figure class="over-time">${raster(recordings.original, recordings.adversarial, `events of ${row.sample} over time`)}<figcaption>${rasterCaption}</figcaption></figure>`
}</div></div>
`);
  }
  return figures.length > 0 && html`${figures}`;
}

/** Lower ends of bins: 1, 2, 5, 10, ... up to the first beyond `most`. */
function binsTo(most: number): number[] {
  const bins: number[] = [];
  for (let power = 1; bins.at(-1) === undefined || bins.at(-1)! <= most; power *= 10)
    for (const step of [1, 2, 5]) if (bins.at(-1) === undefined || bins.at(-1)! <= most) bins.push(step * power);
  return bins;
}

function histogram(index: RunIndex, budget: Budget, input: string): Markup {
  const lines = index.attacks.map(({ name, label }) => {
    const rows = [...index.rows(name, budget).values()];
    return {
      label,
      sizes: rows.filter((row) => row.status === 'success').map((row) => flipsOf(row, input)),
      held: rows.filter((row) => row.status === 'failure').length,
    };
  });
  const all = lines.flatMap(({ sizes }) => sizes);
  const edges = binsTo(largest(all));
  const ends = edges.slice(1);
  const start = Math.max(
    0,
    ends.findIndex((end) => all.some((n) => n < end)),
  );
  const bins = ends.slice(start).map((end, k) => ({ from: edges[start + k]!, end }));
  const filled = lines.map(({ sizes }) => bins.map(({ from, end }) => sizes.filter((n) => n >= from && n < end).length));
  const top = Math.max(1, largest([...filled.flat(), ...lines.map(({ held }) => held)]));
  const cell = (n: number, name: string): Markup =>
    html`<td class="${name}" style="--v:${number(n / top)}">${n > 0 ? count(n) : ''}</td>`;
  return html`<div class="scroll"><table class="histogram"><caption>Examples by number of flips, at a budget of ${budget.label}: a success at a smaller budget stands with its smaller change.</caption>
<thead><tr><th scope="col">Flips</th>${bins.map(({ from, end }) => html`<th scope="col">${end - 1 === from ? count(from) : `${count(from)}–${count(end - 1)}`}</th>`)}<th scope="col">held</th></tr></thead>
<tbody>${lines.map(({ label, held }, i) => html`<tr><th scope="row">${label}</th>${filled[i]!.map((n) => cell(n, 'some'))}${cell(held, 'kept')}</tr>`)}</tbody></table></div>`;
}

const amount = (value: number | null): string => (value === null ? '—' : number(value));

function amounts(
  data: ReportData,
  budget: Budget,
  input: string,
  cells: readonly { readonly label: string; readonly events: EventSummary }[],
): Markup {
  const spec = data.model.inputs[input]!;
  const recorded = cells.some(({ events }) => events.medians.eventsAdded !== null);
  const anew = cells.some(({ events }) => events.rebinnable > 0);
  return html`<div class="scroll"><table class="inputs"><caption>Medians over the examples at ${budget.label}.${anew && ' Cut anew: the saved recording cut by number of events, without the windows of the clean one; an attacker who cannot choose the windows has only those that still fool.'}</caption>
<thead><tr>${['Attack', 'Pixels added', 'Pixels deleted', ...(recorded ? ['Events put in', 'Events taken out'] : []), ...(anew ? ['Still fools when cut anew'] : [])].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${cells.map(({ label, events: { medians, rebinnable, rebinned, rebinnedRate, rebinnedInterval } }) => {
    const pixels = (n: number | null): Markup =>
      html`<td>${amount(n)}${n !== null && html` <span class="meta">${shareOf(n, spec)}</span>`}</td>`;
    return html`<tr><th scope="row">${label}</th>${pixels(medians.pixelsAdded)}${pixels(medians.pixelsDeleted)}${
      recorded && html`<td>${amount(medians.eventsAdded)}</td><td>${amount(medians.eventsRemoved)}</td>`
    }${anew && html`<td>${rebinnedInterval === null ? '—' : html`${count(rebinned)} of ${count(rebinnable)} <span class="meta">${percent(rebinnedRate)}, 95% interval ${interval(rebinnedInterval)}</span>`}</td>`}</tr>`;
  })}</tbody></table></div>`;
}
