import { describe, expect, it } from 'vitest';
import { markedReel, marksOf } from '../../../src/app/report/events/film.ts';
import { palette } from '../../../src/app/report/events/ink.ts';
import { factLines, placeWords } from '../../../src/app/report/events/words.ts';
import { indexedPng } from '../../../src/app/report/indexed-png.ts';
import { renderReport } from '../../../src/app/report/render.ts';
import { indexRun } from '../../../src/app/report/run-index.ts';
import { headlineSentence } from '../../../src/app/report/sections/headline.ts';
import { fixture } from './fixture.ts';
import { flipFixture, flipped, flipRows, shape } from './flips-fixture.ts';

const text = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const sectionOf = (page: string, id: string): string => page.match(new RegExp(`<section id="${id}".*?</section>`, 's'))![0];

describe('a page about flips', () => {
  it('says what a flip is, how many pixels a budget is and what share of them', async () => {
    const data = flipFixture();
    expect(headlineSentence(data, indexRun(data))).toMatch(/^Flipping at most 8 of 512 pixels \(1\.6%\) fooled/);
    const head = text(sectionOf(await renderReport(data), 'result'));
    expect(head).toContain('4 frames of 8 × 8 pixels in 2 polarities, each on or off.');
    const worst = indexRun(data);
    const broken = worst.samples.flatMap((s) => worst.worst(s, worst.headline!) ?? []).filter((r) => r.status === 'success');
    const lasting = broken.filter((r) => r.events!.events!.rebinned).length;
    expect(head).toContain(`${lasting === 0 ? 'none' : lasting} of ${broken.length} still fool`);
  });

  it('has a section with examples as strips, a histogram, amounts and places; works without a script', async () => {
    const page = await renderReport(flipFixture());
    expect(page).toContain('href="#flips"');
    const section = sectionOf(page, 'flips');
    expect(section.match(/class="reel open"/g)!.length).toBe(6);
    expect(section.match(/class="raster"/g)!.length).toBe(3);
    const rows = flipRows().filter((r) => r.attack === 'pgd' && r.eps.events === 8);
    const histogram = section.match(/<table class="histogram">.*?<\/table>/s)![0];
    const line = [...histogram.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/gs)].find((m) => m[1] === 'PGD')![2]!;
    const counts = [...line.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map((m) => Number(m[1]!));
    const among = (from: number, end: number) =>
      rows.filter((r) => r.status === 'success' && r.norms.events!.l0 >= from && r.norms.events!.l0 < end).length;
    expect(counts).toEqual([among(1, 2), among(2, 5), among(5, 10), rows.filter((r) => r.status === 'failure').length]);
    expect(text(section)).toMatch(
      /[Gg]athered in some frames \(the variance of their number per frame is 3\.2 times that of chance\)/,
    );
    const { rebinnable, rebinned } = flipFixture().summary.cells.find((c) => c.attack === 'pgd' && c.eps === 8)!.events!;
    expect(text(section)).toContain(`${rebinned} of ${rebinnable}`);
  });

  it('gives the detail view the figures of every example', async () => {
    const page = await renderReport(flipFixture());
    const state = JSON.parse(page.match(/id="sample-data">(.*?)<\/script>/s)![1]!);
    const row = state.samples
      .flatMap((s: { rows: { s: string; events?: string[][] }[] }) => s.rows)
      .find((r: { s: string }) => r.s === 'fooled');
    expect(row.events.map((line: string[]) => line[0])).toEqual(
      expect.arrayContaining(['Pixels', 'Events', 'Cut anew by number', 'Where the flips are']),
    );
    expect(page).toContain('data-added="');
  });

  it('says nothing of flips where there are none to make', async () => {
    const page = await renderReport(fixture());
    expect(page).not.toContain('id="flips"');
    expect(text(sectionOf(page, 'result'))).not.toContain('flip');
  });
});

it('a strip counts the flips of each frame, and shows the frame with most of them first', () => {
  // a frame has 128 values: the first frame is full, the second has two
  const marks = marksOf(flipped(0), flipped(130), shape);
  expect(marks.added.map((n, k) => n + marks.deleted[k]!)).toEqual([128, 2, 0, 0]);
  const last = flipped(0).map((v, i) => (i >= 384 ? 1 - v : v));
  expect(markedReel({ shape, frames: last }, flipped(0), 'made up').markup).toContain('data-first="3"');
});

it('words of places: chance is said to be chance, what is not known is left out', () => {
  expect(placeWords({ timeClustering: 1, nearestNeighbour: null, besideEvents: null })).toBe(
    'spread over the frames as by chance (the variance of their number per frame is 1 times that of chance)',
  );
  const facts = { pixelsAdded: 1, pixelsDeleted: 0, eventsAdded: null, eventsRemoved: null, rebinned: null };
  expect(factLines({ ...facts, timeClustering: null, nearestNeighbour: null, besideEvents: null })).toEqual([
    ['Pixels', '1 added, 0 deleted'],
  ]);
});

it('a picture of few colours is a PNG that a decoder of others reads back', async () => {
  const { default: sharp } = await import('sharp');
  const pixels = Uint8Array.from({ length: 15 }, (_, i) => i % palette.length);
  const png = indexedPng({ width: 5, height: 3, pixels, palette });
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([5, 3]);
  expect([...data]).toEqual([...pixels].flatMap((k) => [...palette[k]!]));
});
