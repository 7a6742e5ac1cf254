/** What the page says of how attacks went: every mark and table against the rows. */
import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis } from '../../../src/app/report/axes.ts';
import { renderReport } from '../../../src/app/report/render.ts';
import { indexRun } from '../../../src/app/report/run-index.ts';
import { course } from '../../../src/app/report/sections/course.ts';
import { distances } from '../../../src/app/report/sections/distances.ts';
import { parts } from '../../../src/app/report/sections/parts.ts';
import { quartilesOf } from '../../../src/app/report/sections/progress.ts';
import { queries } from '../../../src/app/report/sections/queries.ts';
import { courseFixture, courseRows, distanceOf } from './course-fixture.ts';
import { fixture } from './fixture.ts';

const titles = (markup: string): string[] => [
  ...new Set(
    [...markup.matchAll(/<title>(.*?)<\/title>/g)].map(([, text]) =>
      text!.replace(/&#(\d+);/g, (_, c) => String.fromCharCode(Number(c))),
    ),
  ),
];
const data = courseFixture();
const index = indexRun(data);

describe('the section on how attacks went', () => {
  it('is there only where there is something to show', async () => {
    expect(course(fixture(), indexRun(fixture()))).toBeUndefined();
    expect(await renderReport(fixture())).not.toContain('id="course"');
    const page = await renderReport(data);
    expect(page).toContain('<section id="course"');
    expect(page).toContain('href="#course"');
  });
});

describe('distances', () => {
  const attacked = Array.from({ length: 12 }, (_, i) => i).filter((i) => i !== 3);

  it('count the samples with an example within each budget; failures are infinitely far', () => {
    const said = titles(distances(data, index)!.markup);
    for (const [attack, label] of [
      ['ddn', 'DDN'],
      ['boundary', 'boundary'],
    ] as const)
      for (const k of [1, 2, 4, 8]) {
        const share = attacked.filter((i) => distanceOf(i, attack) <= k).length / attacked.length;
        expect(said).toContain(
          `${label}: ${share === 0 ? '0%' : share === 1 ? '100%' : `${(100 * share).toFixed(1)}%`} within ${k}/255`,
        );
      }
  });

  it('have a median over all attacked samples', () => {
    const sorted = attacked.map((i) => distanceOf(i, 'boundary')).sort((a, b) => a - b);
    const { markup } = distances(data, index)!;
    expect(markup).toContain(
      `<th scope="row">boundary</th><td>11</td><td>10</td><td>${Number(sorted[5]!.toPrecision(3))}/255</td>`,
    );
  });
});

describe('queries', () => {
  it('of bounded attacks are those at the first example, of minimum-norm attacks those at which it had become small enough', () => {
    const said = titles(queries(index)!.markup);
    const rows = courseRows().filter((row) => row.attack === 'pgd' && row.eps.input === 8 / 255);
    const last = Math.max(...rows.flatMap(({ foundAt }) => foundAt ?? []));
    expect(said).toContain(`PGD: 100% of 11 after ${last} queries`);
    // within 8/255: example i is 4, 2, 1.2 and 1 times its distance after 4, 10, 40 and 100 queries
    const needed = Array.from({ length: 12 }, (_, i) => i)
      .filter((i) => i !== 3 && distanceOf(i, 'ddn') <= 8)
      .map((i) => [4, 10, 40, 100][[4, 2, 1.2, 1].findIndex((factor) => factor * distanceOf(i, 'ddn') <= 8)]!);
    const share = (100 * needed.length) / 11;
    expect(said).toContain(`DDN: ${share.toFixed(1)}% of 11 after ${Math.max(...needed)} queries`);
  });
});

describe('progress', () => {
  const trace = (best: (number | null)[]) => ({ queries: [1, 10, 100], lead: best, best });

  it('has the quartiles of the samples, and a sample that is done stays where it ended', () => {
    const found = quartilesOf([trace([4, 3, 2]), trace([8, 7, 6]), { queries: [1], lead: [0], best: [0] }]);
    expect(found[0]).toEqual({ queries: 1, low: 2, median: 4, high: 6 });
    expect(found.at(-1)).toEqual({ queries: 100, low: 1, median: 2, high: 4 });
  });

  it('is over any number of samples', () => {
    const long = Array.from({ length: 64 }, (_, k) => k + 1);
    const found = quartilesOf(Array.from({ length: 3000 }, () => ({ queries: long, lead: long, best: long })));
    expect(found.at(-1)).toEqual({ queries: 64, low: 64, median: 64, high: 64 });
  });

  it('begins where half of the samples have an example', () => {
    const found = quartilesOf([trace([null, 3, 2]), trace([null, null, 6]), trace([null, 5, 4])]);
    expect(found[0]!.queries).toBeGreaterThanOrEqual(10);
    expect(found[0]).toMatchObject({ low: 4, median: 5, high: Number.POSITIVE_INFINITY });
  });
});

describe('parts of a suite', () => {
  it('are credited with what they found at each budget, also with nothing, and say what ran', () => {
    const { markup } = parts(index)!;
    const at8 = courseRows().filter((row) => row.attack === 'autoattack' && row.eps.input === 8 / 255);
    for (const part of ['apgd-ce', 'fab-t', 'square']) {
      const cells = markup.match(new RegExp(`<th scope="row">${part}</th>(.*?)</tr>`))![1]!.match(/<td>(.*?)<\/td>/g)!;
      expect(cells[3]).toBe(`<td>${at8.filter(({ by }) => by === part).length}</td>`);
    }
    expect(markup).toContain('square: queries 5000');
  });
});

describe('axes', () => {
  it('place what they are made for between 0 and 1', () => {
    const log = logAxis(1, 5000);
    expect([log.place(1), log.place(5000)]).toEqual([0, 1]);
    expect(log.ticks.map(({ label }) => label.replace('\u202f', ''))).toEqual(['1', '10', '100', '1000']);
    const small = logAxis(0.02, 3);
    expect([small.place(0.001), small.place(0.02), small.place(3)]).toEqual([0, 0, 1]);
    expect(small.ticks.map(({ label }) => label)).toEqual(['0.03', '0.1', '0.3', '1', '3']);
    const linear = linearAxis(-1, 3);
    expect(linear.place(0)).toBe(0.25);
  });
});
