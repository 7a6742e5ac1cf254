/** @file Sample by sample: cards, and what a click on one shows. */
import type { Row } from '../../../kit/record/row.ts';
import { markedReel, originalReel } from '../events/film.ts';
import { flipLegend, rasterCaption } from '../events/legend.ts';
import { raster } from '../events/raster.ts';
import { factLines } from '../events/words.ts';
import { changedValues, count, normName, number, size } from '../format.ts';
import { html, json, type Markup, type Part } from '../html.ts';
import { pngUri } from '../pictures.ts';
import type { Pictures, ReportData } from '../report-data.ts';
import { isControl, type RunIndex } from '../run-index.ts';
import { drawSignal, maxChannels } from '../signal.ts';

/**
 * samples: cards on the page; rows: lines of their detail views, which make fewer cards where there are many attacks and budgets; examples: attacked
 * pictures kept in the page; bytes: what original and attacked pictures may take, each. What is left out is said.
 */
export const defaults = { samples: 240, rows: 6000, examples: 480, bytes: 3e6 } as const;

export type SampleOptions = { readonly [key in keyof typeof defaults]: number };

const figure = (picture: Markup, caption: Part, name: string): Markup =>
  html`<figure class="${name}">${picture}<figcaption>${caption}</figcaption></figure>`;

const image = (png: Uint8Array, alt: string): Markup => html`<img src="${pngUri(png)}" alt="${alt}">`;

function originalOf(pictures: Pictures | undefined, sample: string): Markup {
  if (pictures === undefined) return html`<div class="no-picture">no picture</div>`;
  if (pictures.kind === 'events')
    return originalReel(
      { shape: pictures.shape, frames: pictures.original, recording: pictures.recordings?.original },
      `original of ${sample}`,
    );
  return pictures.kind === 'image'
    ? image(pictures.original, `original of ${sample}`)
    : drawSignal(pictures, [{ values: pictures.original, tone: 'original' }], `original of ${sample}`);
}

function exampleOf(pictures: Pictures, sample: string): Markup | undefined {
  if (pictures.adversarial === undefined) return undefined;
  if (pictures.kind === 'image') {
    return html`${figure(image(pictures.adversarial, `attacked version of ${sample}`), 'attacked', 'attacked')}${
      pictures.difference !== undefined &&
      figure(
        image(pictures.difference, `the change of ${sample}, amplified`),
        `the change${pictures.gain === undefined ? '' : ` × ${pictures.gain}`}`,
        'change',
      )
    }`;
  }
  if (pictures.kind === 'events') {
    const { shape, original, adversarial, recordings } = pictures;
    const clip = { shape, frames: adversarial, recording: recordings?.adversarial };
    return html`${figure(markedReel(clip, original, `attacked version of ${sample}`), flipLegend, 'attacked')}${
      recordings?.adversarial !== undefined &&
      figure(raster(recordings.original, recordings.adversarial, `events of ${sample} over time`), rasterCaption, 'over-time')
    }`;
  }
  const { original, adversarial } = pictures;
  const shown = pictures.channels > maxChannels ? `, first ${maxChannels} of ${pictures.channels} channels` : '';
  const change = adversarial.map((value, i) => value - original[i]!);
  const both = drawSignal(
    pictures,
    [
      { values: adversarial, tone: 'attacked' },
      { values: original, tone: 'original' },
    ],
    `attacked version of ${sample} behind the original`,
  );
  const alone = drawSignal(pictures, [{ values: change, tone: 'change' }], `the change of ${sample}`);
  return html`${figure(both, `attacked (orange) behind the original (blue), ${pictures.unit}${shown}`, 'attacked')}${figure(alone, 'the change, on its own scale', 'change')}`;
}

const short = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Sizes of the saved change in every norm, in words, input after input. */
function sizes(row: Row, data: ReportData): [string, string][] {
  const several = Object.keys(row.norms).length > 1;
  return Object.entries(row.norms).flatMap(([input, norms]) =>
    (['linf', 'l2', 'l1', 'l0'] as const).map((norm): [string, string] => [
      `${several ? `${input} ` : ''}${normName[norm]}`,
      norm === 'l0' ? changedValues(norms[norm], data.model.inputs[input]) : size(norms[norm], norm, data.model.inputs[input]),
    ]),
  );
}

/** What was done to inputs made of events, in words, input after input. */
function eventFacts({ events = {} }: Row): [string, string][] {
  const several = Object.keys(events).length > 1;
  return Object.entries(events).flatMap(([input, facts]) =>
    factLines(facts).map(([name, text]): [string, string] => [several ? `${input}: ${name}` : name, text]),
  );
}

interface Gathered {
  readonly originals: ReadonlyMap<string, Markup>;
  readonly examples: readonly Markup[];
  /** Number of the example a row shows, by its path. */
  readonly of: ReadonlyMap<string, number>;
  readonly leftOut: { readonly originals: number; readonly examples: number };
}

const undrawn = html`<div class="no-picture">not drawn</div>`;

/**
 * Asks for one picture per sample and one per saved example: a success carried to a larger budget is the same file. What decides a sample comes first, then
 * the rest sample by sample, as far as the page has room.
 */
async function gather(
  data: ReportData,
  index: RunIndex,
  rowsOf: ReadonlyMap<string, readonly Row[]>,
  options: SampleOptions,
): Promise<Gathered> {
  const originals = new Map<string, Markup>();
  const examples: Markup[] = [];
  const of = new Map<string, number>();
  const skipped = new Set<string>();
  const spent = { originals: 0, examples: 0 };
  let hidden = 0;
  const keepOriginal = (sample: string, pictures: Pictures | undefined): void => {
    const drawn = originalOf(pictures, sample);
    const fits = spent.originals + drawn.markup.length <= options.bytes;
    if (fits) spent.originals += drawn.markup.length;
    else hidden++;
    originals.set(sample, fits ? drawn : undrawn);
  };
  const keepExample = async (sample: string, row: Row): Promise<void> => {
    const { example } = row;
    if (row.status !== 'success' || example === undefined || data.picture === undefined) return;
    if (of.has(example) || skipped.has(example)) return;
    const full = examples.length >= options.examples || spent.examples >= options.bytes;
    const pictures = full ? undefined : await data.picture(row);
    if (pictures !== undefined && !originals.has(sample)) keepOriginal(sample, pictures);
    const drawn = pictures && exampleOf(pictures, sample);
    if (!full && drawn === undefined) return;
    if (drawn === undefined || spent.examples + drawn.markup.length > options.bytes) {
      skipped.add(example);
      return;
    }
    spent.examples += drawn.markup.length;
    of.set(example, examples.length);
    examples.push(drawn);
  };
  for (const sample of rowsOf.keys()) {
    const decides = index.worst(sample, index.headline!);
    if (decides !== undefined) await keepExample(sample, decides);
  }
  for (const [sample, rows] of rowsOf) {
    for (const row of rows) await keepExample(sample, row);
    if (!originals.has(sample)) keepOriginal(sample, await data.picture?.(rows[0]!));
  }
  return { originals, examples, of, leftOut: { originals: hidden, examples: skipped.size } };
}

const words = { success: 'fooled', failure: 'held', skipped: 'skipped', invalid: 'invalid' } as const;

function card(data: ReportData, index: RunIndex, sample: string, number_: number, original: Markup): Markup {
  const first = index.worst(sample, index.headline!)!;
  const { classes } = data.model;
  const strips = index.attacks.map(
    (attack) =>
      html`<span class="strip"><span>${attack.label}</span><span class="dots">${index.budgets.map((budget) => {
        const row = index.rows(attack.name, budget).get(sample);
        return row === undefined
          ? html`<i></i>`
          : html`<i class="${words[row.status]}" title="${attack.label} at ${budget.label}: ${words[row.status]}"></i>`;
      })}</span></span>`,
  );
  return html`<li><button type="button" class="card" data-sample="${number_}"><span class="thumb">${original}</span>
<span class="card-head"><b>${sample}</b><span class="state ${words[first.status]}">${words[first.status]}</span></span>
<span class="card-text"><span class="said">${classes[first.cleanPrediction]!}</span>${first.cleanPrediction !== first.label && html` <span class="meta">(${data.data.agreement ? 'clean' : 'label'}: ${classes[first.label]!})</span>`}<span class="became"></span></span>
${strips}</button></li>
`;
}

/** Before rounding, as a size of the first attacked input. */
function distanceText(row: Row, data: ReportData): string {
  const [input] = Object.keys(row.eps);
  return size(row.distance!, row.norm[input!]!, data.model.inputs[input!]);
}

const rowData = (
  row: Row,
  place: { a: number; b: number },
  example: number | undefined,
  data: ReportData,
): Record<string, unknown> => ({
  ...place,
  s: words[row.status],
  y: row.prediction,
  p: row.probabilities.map(short),
  sizes: row.status === 'success' ? sizes(row, data) : [],
  ...(row.events === undefined ? {} : { events: eventFacts(row) }),
  forwards: count(row.forwards),
  backwards: count(row.backwards),
  queries: count(row.queries),
  seconds: `${number(row.seconds)} s`,
  float: row.floatSuccess,
  ...(row.by === undefined ? {} : { by: row.by }),
  ...(row.foundAt === undefined ? {} : { found: count(row.foundAt) }),
  ...(row.distance === null ? {} : { distance: distanceText(row, data) }),
  ...(row.reason === undefined ? {} : { reason: row.reason }),
  ...(row.example === undefined ? {} : { file: row.example }),
  ...(example === undefined ? {} : { example }),
});

/** Cards with filters; the data and pictures of the detail view stand in the page, asleep. */
export async function samples(data: ReportData, index: RunIndex, options: SampleOptions = defaults): Promise<Markup> {
  if (index.headline === undefined || index.samples.length === 0) return html`<p>No samples.</p>`;
  const most = Math.max(1, Math.min(options.samples, Math.floor(options.rows / (index.attacks.length * index.budgets.length))));
  const chosen = index.samples.slice(0, most);
  const placed = new Map(
    chosen.map((sample) => [
      sample,
      index.attacks.flatMap((attack, a) =>
        index.budgets.flatMap((budget, b) => {
          const row = index.rows(attack.name, budget).get(sample);
          return row === undefined ? [] : [{ a, b, row }];
        }),
      ),
    ]),
  );
  const rowsOf = new Map([...placed].map(([sample, list]) => [sample, list.map((entry) => entry.row)]));
  const { originals, examples, of, leftOut } = await gather(data, index, rowsOf, options);
  const state = {
    classes: data.model.classes,
    agreement: data.data.agreement,
    attacks: index.attacks.map((attack) => ({ name: attack.name, label: attack.label, control: isControl(attack) })),
    budgets: index.budgets.map((budget) => budget.label),
    headline: index.budgets.indexOf(index.headline),
    samples: chosen.map((id) => {
      const list = placed.get(id)!;
      const first = list[0]!.row;
      return {
        id,
        group: first.group,
        label: first.label,
        clean: first.cleanPrediction,
        p: first.cleanProbabilities.map(short),
        worst: index.budgets.map((budget) => list.findIndex((entry) => entry.row === index.worst(id, budget))),
        rows: list.map(({ a, b, row }) =>
          rowData(row, { a, b }, row.example === undefined ? undefined : of.get(row.example), data),
        ),
      };
    }),
  };
  return html`${chosen.length < index.samples.length && html`<p class="note">The first ${count(chosen.length)} of ${count(index.samples.length)} samples; the figures above are over all.</p>`}
${leftOut.examples > 0 && html`<p class="note">${count(leftOut.examples)} examples are in the run’s folder but not drawn here, to keep this file small.</p>`}
${leftOut.originals > 0 && html`<p class="note">Of ${count(leftOut.originals)} samples the original is not drawn here either.</p>`}
<div class="controls" id="sample-controls" hidden>
<label>Attack <select id="sample-attack"><option value="-1">Worst case</option>${index.attacks.map((attack, a) => html`<option value="${a}">${attack.label}</option>`)}</select></label>
<label>Budget <select id="sample-budget">${index.budgets.map((budget, b) => html`<option value="${b}"${budget === index.headline && html` selected`}>${budget.label}</option>`)}</select></label>
<div class="segments" role="group" aria-label="Outcome">${['all', 'fooled', 'held', 'skipped', 'invalid'].map((name) => html`<button type="button" data-filter="${name}" aria-pressed="${name === 'all' ? 'true' : 'false'}">${name} <span></span></button>`)}</div>
<label class="search">Search <input type="search" id="sample-search" placeholder="name, group or class" autocomplete="off" spellcheck="false"></label>
</div>
<p class="note key" aria-hidden="true"><i class="fooled"></i> fooled <i class="held"></i> held <i class="skipped"></i> skipped <i class="invalid"></i> invalid <span>— a mark for each budget, smallest first</span></p>
<ul class="cards" id="cards">
${chosen.map((sample, i) => card(data, index, sample, i, originals.get(sample)!))}</ul>
<p class="note" id="no-cards" role="status" hidden>No sample matches.</p>
<dialog id="detail" aria-labelledby="detail-title"></dialog>
${examples.map(
  (example, i) => html`<template id="example-${i}">${example}</template>
`,
)}<script type="application/json" id="sample-data">${json(state)}</script>`;
}
