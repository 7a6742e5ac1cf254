/** @file The pages of a study: charts in the one that can show them, sentences about the data in both. */
import { describe, expect, it } from 'vitest';
import { studyMarkdown } from '../../../src/app/study/markdown.ts';
import { studyPage } from '../../../src/app/study/page.ts';
import type { StudyRecord } from '../../../src/app/study/record.ts';
import type { Chart, ChartSeries } from '../../../src/judgement/chapter.ts';

const found: ChartSeries = {
  name: 'first <attack>',
  step: true,
  emphasis: 'main',
  points: [
    { x: 10, share: 0.25, lower: 0.1, upper: 0.5 },
    { x: 100, share: 0.75, lower: 0.5, upper: 0.9 },
  ],
};

const flips: Chart = {
  title: 'flips needed',
  caption: 'Share of attempts.',
  x: { title: 'flips', scale: 'log', from: 1, to: 1000 },
  series: [found],
  marks: [
    { x: 50, label: '50' },
    { x: 100, label: '100' },
  ],
};

const line = (name: string): ChartSeries => ({
  name,
  points: [
    { x: 1, share: 0.2, lower: 0.1, upper: 0.3 },
    { x: 2, share: 0.5 },
  ],
});

const against: Chart = {
  title: 'success against eps',
  caption: 'Broken of attempts.',
  x: { title: 'eps', scale: 'linear', ticks: [{ x: 1, label: '1/255' }] },
  series: [line('plain'), { ...line('dashed'), emphasis: 'reference' }],
};

const record = (charts?: readonly Chart[]): StudyRecord => ({
  name: 'tiny',
  system: 'spiking',
  date: '2026-01-01T00:00:00.000Z',
  versions: { provoke: '0.1.0' },
  processors: 2,
  seed: 0,
  seconds: 3,
  resumed: false,
  chapters: [{ title: 'One part', paragraphs: ['Said.'], tables: [], claims: [], ...(charts === undefined ? {} : { charts }) }],
  runs: ['synthetic pictures: with noise', 'synthetic gestures: invented.', 'synthetic pictures: with noise'].map(
    (synthetic, i) => ({
      name: `run${i}`,
      report: `runs/run${i}/report.html`,
      model: 'm',
      sha256: '0'.repeat(64),
      data: 'pictures (test)',
      synthetic,
      samples: 4,
      cleanAccuracy: 1,
      seconds: 1,
      notes: [],
    }),
  ),
});

const pageOf = (...charts: readonly Chart[]): Promise<string> => studyPage(record(charts));

/** The places of the one polyline of the wide drawing, as pairs. */
const placesOf = (page: string): number[][] =>
  /<polyline points="([^"]*)"/
    .exec(page)![1]!
    .split(' ')
    .map((place) => place.split(',').map(Number));

describe('the page of a study', () => {
  it('draws charts and stays self-contained', async () => {
    const page = await pageOf(flips, against);
    expect(page).toContain('<h3>flips needed</h3>');
    expect(page).toContain('aria-label="success against eps"');
    expect(page.match(/<figure class="chart">/g)).toHaveLength(2);
    expect(page.match(/https?:\/\//g)).toBeNull();
    expect(page).toContain("default-src 'none'");
  });

  it('says what a line says, with the names of its budgets; distributions are read off at the marks', async () => {
    const page = await pageOf(flips, against);
    expect(page).toContain('aria-label="first &#60;attack&#62;: 25.0% within 50; first &#60;attack&#62;: 75.0% within 100"');
    expect(page).toContain('aria-label="plain: 20.0% (10.0–30.0%) at 1/255; plain: 50.0% at 2"');
  });

  it('a distribution climbs in steps: level between its points, from nothing, to the end of the axis', async () => {
    const places = placesOf(await pageOf(flips));
    expect(places).toHaveLength(6);
    const [left, ten, up, hundred, high, right] = places.map((place) => place[0]!) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const [zero, still, quarter, level, most, last] = places.map((place) => place[1]!);
    expect([still, up, level, high, last]).toEqual([zero, ten, quarter, hundred, most]);
    // decades of a logarithmic axis are equally wide
    const third = (right - left) / 3;
    expect(ten - left).toBeCloseTo(third, 0);
    expect(hundred - left).toBeCloseTo(2 * third, 0);
    expect((zero! - quarter!) * 3).toBeCloseTo(zero! - most!, 0);
  });

  it('shades the main line, dashes the references, and has no end of colours', async () => {
    const page = await pageOf({ ...against, series: [found, ...Array.from({ length: 40 }, (_, i) => line(`line ${i}`))] });
    expect(page).toContain('class="series bold"');
    expect(page).not.toContain('undefined');
    const tones = [...page.matchAll(/class="series (tone-\d+)"/g)].map(([, tone]) => tone);
    expect(new Set(tones).size).toBe(6);
    expect(await pageOf(against)).toContain('class="series reference"');
  });

  it('a band is drawn only where every point has an interval', async () => {
    const bands = (page: string) => page.match(/<polygon class="band"/g)?.length ?? 0;
    // once wide, once narrow
    expect([bands(await pageOf(flips)), bands(await pageOf(against))]).toEqual([2, 0]);
  });

  it('says that its time is not all where earlier tries had done some of it', async () => {
    expect(await pageOf()).toContain('3 runs, 3 s on 2 logical processors');
    const later = { ...record([]), resumed: true };
    expect(await studyPage(later)).toContain('3 s besides what had been done before');
    expect(studyMarkdown(later)).toContain('3 s besides what had been done before');
  });

  it('chapters without charts have none', async () => {
    expect(await studyPage(record())).not.toContain('<figure');
    expect(await pageOf()).not.toContain('<figure');
  });
});

describe('what both pages say of synthetic data', () => {
  it('is a sentence each, said once', async () => {
    const markdown = studyMarkdown(record([flips]));
    expect(markdown).toContain('**Synthetic data.** Synthetic pictures: with noise. Synthetic gestures: invented.\n');
    expect(markdown).not.toContain('flips needed');
    expect(await pageOf()).toContain('</b> Synthetic pictures: with noise.</li>');
  });
});
