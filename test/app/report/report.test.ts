import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { compare } from '../../../src/app/report/findings.ts';
import { interval, percent } from '../../../src/app/report/format.ts';
import { renderReport } from '../../../src/app/report/render.ts';
import type { ReportData } from '../../../src/app/report/report-data.ts';
import { indexRun } from '../../../src/app/report/run-index.ts';
import { alreadyEnough, headlineSentence } from '../../../src/app/report/sections/headline.ts';
import { summarise } from '../../../src/kit/metrics/summary.ts';
import { fixture, fixtureRows, pixel } from './fixture.ts';

const dataOf = (page: string, id: string) =>
  JSON.parse(page.match(new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, 's'))![1]!);

const cellsOf = (page: string): string[][] => {
  const body = page.match(/<table class="cells".*?<tbody>(.*?)<\/tbody>/s)![1]!;
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map((row) =>
    [...row[1]!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map((cell) => cell[1]!.replace(/<[^>]+>/g, '')),
  );
};

const sentence = (data: ReportData): string => headlineSentence(data, indexRun(data));

describe('the report as a file', () => {
  it('has every section and points at nothing outside itself', async () => {
    const page = await renderReport(fixture());
    for (const id of ['result', 'budgets', 'confusions', 'samples', 'audit', 'experiment', 'reading']) {
      expect(page).toContain(`<section id="${id}"`);
      expect(page).toContain(`href="#${id}"`);
    }
    expect(page.match(/https?:\/\//g)).toBeNull();
    const addresses = [...page.matchAll(/\s(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
    expect(addresses.filter((address) => !address.startsWith('#') && !address.startsWith('data:'))).toEqual([]);
    expect(page).not.toMatch(/url\(|@import|<link rel="stylesheet"|fetch\(|XMLHttpRequest/);
  });

  it('allows exactly its own script', async () => {
    const page = await renderReport(fixture());
    const policy = page.match(/Content-Security-Policy" content="([^"]*)"/)![1]!;
    const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map((match) => match[1]!);
    expect(scripts).toHaveLength(1);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(scripts[0]!).digest('base64')}'`);
  });

  it('is the same file for the same run', async () => {
    expect(await renderReport(fixture())).toBe(await renderReport(fixture()));
  });

  it('keeps class names, sample names and messages text', async () => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"\'&';
    const rows = fixtureRows({ name: (i) => `${evil}${i}` }).map((row) => ({ ...row, group: evil, reason: evil }));
    const base = fixture({}, rows);
    const page = await renderReport(
      fixture(
        {
          name: evil,
          experiment: `name: ${evil}`,
          substitutes: [evil],
          model: { ...base.model, name: evil, classes: base.model.classes.map((_, k) => `${evil}${k}`), note: evil },
          data: {
            ...base.data,
            name: evil,
            labelsAre: evil,
            synthetic: evil,
            noun: evil,
            problems: [{ item: evil, reason: evil }],
          },
          attacks: base.attacks.map((attack) => ({ ...attack, title: evil, paper: evil })),
          audit: [{ id: evil, severity: 'warn', verdict: 'raised', value: evil, threshold: evil, remedy: evil }],
        },
        rows,
      ),
    );
    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('<img src=x');
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(dataOf(page, 'sample-data').samples[0].id).toBe(`${evil}0`);
  });
});

describe('numbers', () => {
  it('are those of the summary, cell by cell', async () => {
    const data = fixture();
    const lines = cellsOf(await renderReport(data));
    expect(lines).toHaveLength(data.summary.cells.length);
    data.summary.cells.forEach((cell, i) => {
      const line = lines[i]!;
      expect(line[0]!.toLowerCase()).toBe(cell.attack);
      expect(line[1]).toBe(`${Math.round((cell.eps as number) * 255)}/255`);
      expect(line.slice(2, 7).map(Number)).toEqual([cell.n, cell.success, cell.failure, cell.skipped, cell.invalid]);
      expect(line[7]).toBe(`${percent(cell.attackSuccessRate)} ${interval(cell.attackSuccessRateInterval!)}`);
      expect(line[9]).toBe(`${percent(cell.robustAccuracy)} ${interval(cell.robustAccuracyInterval)}`);
    });
  });

  it('of the confusions add up to the samples that could be judged, and agree with robust accuracy', async () => {
    const data = fixture();
    const index = indexRun(data);
    const tables: { a: number; b: number; counts: number[][] }[] = dataOf(await renderReport(data), 'confusion-data');
    expect(tables).toHaveLength(data.summary.cells.length + data.summary.worstCase.length);
    const seen = [0, 1, 2, 3, 4, 5, 6].filter((k) =>
      data.rows.some((row) => row.label === k || row.cleanPrediction === k || row.prediction === k),
    );
    for (const { a, b, counts } of tables) {
      const budget = index.budgets[b]!;
      const right = counts.reduce((sum, row, k) => sum + row[k]!, 0) / counts.flat().reduce((sum, value) => sum + value, 0);
      const expected = a < 0 ? budget.worst.robustAccuracy : index.cell(index.attacks[a]!.name, budget)!.robustAccuracy;
      expect(counts).toHaveLength(seen.length);
      expect(right).toBeCloseTo(expected, 12);
    }
  });

  it('counts a success at a smaller budget as one at a larger budget, as the summary does', () => {
    const rows = fixtureRows().map((row) =>
      row.attack === 'pgd' && row.eps.input! > 4.5 / 255 && row.status === 'success'
        ? { ...row, status: 'failure' as const, prediction: row.cleanPrediction }
        : row,
    );
    const data = fixture({}, rows);
    const index = indexRun(data);
    for (const budget of index.budgets) {
      const statuses = index.samples.map((sample) => index.worst(sample, budget)!.status);
      const judged = statuses.filter((status) => status !== 'invalid').length;
      expect(statuses.filter((status) => status === 'failure').length / judged).toBeCloseTo(budget.worst.robustAccuracy, 12);
    }
  });

  it('of a rate over nothing are a dash, not a number', async () => {
    const rows = fixtureRows().map((row) => ({ ...row, status: 'invalid' as const, reason: 'crashed' }));
    const page = await renderReport(fixture({ summary: JSON.parse(JSON.stringify(summarise(rows))) }, rows));
    expect(page).not.toMatch(/NaN|null%|Infinity/);
    expect(cellsOf(page)[0]![9]).toBe('—');
    expect(page).toContain('No outcome could be judged');
    expect(page).toContain('there is nothing to draw');
  });
});

describe('the headline', () => {
  it('counts what the rows say, names the attack and the control', () => {
    const data = fixture();
    const of = (attack: string) => data.summary.cells.filter((cell) => cell.attack === attack).at(-1)!;
    const noise = of('noise');
    expect(of('pgd').success).toBe(11);
    expect(sentence(data)).toBe(
      `A change of at most 8/255 per pixel fooled made-up/expression on 11 of 11 faces (${of('fgsm').success === 11 ? 'FGSM and PGD' : 'PGD'}); random noise of the same size on ${noise.success || 'none'} of ${noise.success + noise.failure}.`,
    );
  });

  it('says what the union of attacks adds to the best one', () => {
    const rows = fixtureRows().map((row) =>
      row.attack === (row.sample === 'face-01' ? 'pgd' : 'fgsm')
        ? { ...row, status: 'failure' as const, prediction: row.cleanPrediction }
        : row,
    );
    const data = fixture(
      {},
      rows.filter((row) => row.attack !== 'noise' && row.status !== 'skipped'),
    );
    expect(sentence(data)).toMatch(/on (\d+) of \d+ faces \(PGD alone: \d+\)\.$/);
  });

  it('compares the best attack with the control on the samples both were tried on', async () => {
    const data = fixture();
    const index = indexRun(data);
    const both = compare(index, 'pgd', 'noise', index.headline!);
    expect(both.pairs).toBe(10);
    const noise = data.rows.filter(
      (row) => row.attack === 'noise' && row.eps.input === 8 / 255 && row.status === 'success',
    ).length;
    expect(both.p).toBeCloseTo(2 ** (1 - (10 - noise)), 12);
    expect(await renderReport(data)).toContain('Best attack against noise, 10 shared samples: p =');
    expect(compare(index, 'pgd', 'pgd', index.headline!).p).toBe(1);
  });

  it('does not call a wrong model fooled', () => {
    const rows = fixtureRows().filter((row) => row.status === 'skipped');
    expect(sentence(fixture({}, rows))).toBe(
      'made-up/expression was already wrong on all 1 faces that could be judged, before any attack.',
    );
  });

  it('adds that less was enough, where it was', () => {
    const of = (data: ReportData) => alreadyEnough(data, indexRun(data));
    const data = fixture();
    expect(data.summary.worstCase.at(-1)!.robustAccuracy).toBeLessThan(data.summary.worstCase.at(-2)!.robustAccuracy);
    expect(of(data)).toBeUndefined();
    const early = fixtureRows().map((row) =>
      row.attack === 'pgd' && row.status === 'failure' && row.eps.input! > 1.5 / 255
        ? { ...row, status: 'success' as const }
        : row,
    );
    expect(of(fixture({}, early))).toBe('A budget of 2/255 was already enough for all of them.');
  });

  it('claims nothing where the audit failed, and never says robust where nothing was found', () => {
    const held = fixtureRows().map((row) =>
      row.status === 'success' ? { ...row, status: 'failure' as const, prediction: row.cleanPrediction } : row,
    );
    expect(sentence(fixture({}, held))).toContain('on none of 11 faces, with the attacks that were tried');
    const audit = [{ id: 'B5', severity: 'fail', verdict: 'raised', value: 0.4, threshold: 0.02, remedy: 'more steps' }] as const;
    expect(sentence(fixture({ audit }))).toBe(
      'The audit found the attack itself unsound (B5), so this run says nothing about made-up/expression.',
    );
  });

  it('speaks of agreement where labels are the model’s own, and of the attacker’s answer where there is a target', () => {
    const base = fixture();
    expect(sentence({ ...base, data: { ...base.data, agreement: true } })).toContain('changed the answer of made-up/expression');
    expect(sentence({ ...base, goal: 'targeted: sad' })).toContain('gave the attacker the answer asked for (targeted: sad)');
  });
});

describe('what must be said is said', () => {
  it('synthetic, not audited, agreement', async () => {
    const base = fixture();
    const page = await renderReport({ ...base, data: { ...base.data, agreement: true } });
    expect(page).toContain('<b>Synthetic data.</b>');
    expect(page).toContain('<b>Not audited.</b>');
    expect(page).toContain('<b>Agreement, not accuracy.</b>');
    expect(page).toContain('Robust agreement');
    const { synthetic: _, ...real } = base.data;
    const other = await renderReport({ ...base, data: real });
    expect(other).not.toContain('Synthetic data.');
    expect(other).not.toContain('Agreement, not accuracy');
  });

  it('counts of events changed by fractions are relaxed', async () => {
    const base = fixture();
    expect(await renderReport(base)).not.toContain('Relaxed, not realisable');
    const inputs = Object.fromEntries(
      Object.entries(base.model.inputs).map(([name, spec]) => [
        name,
        { ...spec, modality: 'events', storage: 'float32' } as const,
      ]),
    );
    expect(await renderReport({ ...base, model: { ...base.model, inputs } })).toContain('<b>Relaxed, not realisable.</b>');
  });

  it('no red flag found is the most an audit may say', async () => {
    const page = await renderReport(
      fixture({ audit: [{ id: 'A1', severity: 'fail', verdict: 'pass', value: 0, threshold: 1, remedy: '' }] }),
    );
    expect(page).toContain('no red flag found');
    expect(page).not.toMatch(/is robust/i);
  });

  it('the experiment, as it was run', async () => {
    const data = fixture();
    const page = await renderReport(data);
    const shown = page.match(/<pre tabindex="0"><code>(.*?)<\/code>/s)![1]!;
    expect(parse(shown)).toEqual(parse(data.experiment));
  });

  it('what is left out to keep the file small', async () => {
    const page = await renderReport(fixture(), { samples: 5, examples: 2 });
    expect(page.match(/class="card"/g)).toHaveLength(5);
    expect(page.match(/<template id=/g)).toHaveLength(2);
    expect(page).toContain('The first 5 of 12 samples');
    expect(page).toMatch(/\d+ examples are in the run’s folder but not drawn here/);
  });
});

describe('a report of many samples, attacks and budgets', () => {
  it('keeps its cards, rows and pictures within bounds, shows first what decides, and says what it left out', async () => {
    const data = fixture();
    // 3 attacks at 4 budgets: 12 rows a card
    const few = await renderReport(data, { rows: 60 });
    expect(few.match(/class="card"/g)).toHaveLength(5);
    expect(few).toContain('The first 5 of 12 samples');
    const noise = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7919) % 256);
    const heavy = fixture({
      picture: async (row) => ({ kind: 'image', original: noise, ...(row.example ? { adversarial: noise } : {}) }),
    });
    const page = await renderReport(heavy, { bytes: 22_000 });
    expect(page.match(/<template id=/g)).toHaveLength(5);
    expect(page.match(/class="no-picture">not drawn/g)).toHaveLength(12 - 5);
    expect(page).toContain('Of 7 samples the original is not drawn here either.');
    const state = JSON.parse(page.match(/id="sample-data">(.*?)<\/script>/s)![1]!) as {
      headline: number;
      samples: { worst: number[]; rows: { example?: number; s: string }[] }[];
    };
    const decided = state.samples.map(({ worst, rows }) => rows[worst[state.headline]!]!);
    expect(
      decided
        .filter(({ s }) => s === 'fooled')
        .slice(0, 5)
        .map(({ example }) => example),
    ).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('pictures', () => {
  it('are asked for once per saved example, though several budgets share it', async () => {
    const asked: string[] = [];
    const data = fixture({
      picture: async (row) => {
        asked.push(row.example ?? `original of ${row.sample}`);
        return { kind: 'image', original: pixel, ...(row.example ? { adversarial: pixel } : {}) };
      },
    });
    const page = await renderReport(data);
    expect(new Set(asked).size).toBe(asked.length);
    const examples = new Set(data.rows.flatMap((row) => row.example ?? []));
    expect(page.match(/<template id=/g)).toHaveLength(examples.size);
    for (const sample of dataOf(page, 'sample-data').samples) {
      for (const row of sample.rows) expect(row.example !== undefined).toBe(row.s === 'fooled');
    }
  });

  it('of signals are drawn, change and all', async () => {
    const original = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i / 20));
    const adversarial = original.map((value, i) => value + 0.01 * Math.cos(i));
    const page = await renderReport(
      fixture({
        picture: async (row) => ({
          kind: 'signal',
          channels: 2,
          length: 1000,
          unit: 'volt',
          original,
          ...(row.example ? { adversarial } : {}),
        }),
      }),
    );
    expect(page).toContain('attacked (orange) behind the original (blue), volt');
    const drawing = page.match(/<template id="example-0">.*?<svg class="signal".*?<\/svg>/s)![0];
    expect(drawing.match(/class="original"/g)).toHaveLength(2);
    expect(drawing).not.toMatch(/NaN/);
  });

  it('may be missing', async () => {
    const { picture: _, ...bare } = fixture();
    const page = await renderReport(bare);
    expect(page).toContain('no picture');
    expect(page).not.toContain('<img');
  });
});

it('several inputs have their own budgets, several norms their own figures', async () => {
  const rows = fixtureRows().flatMap((row) => {
    const two = {
      ...row,
      norm: { input: 'linf', wave: 'linf' },
      eps: { input: row.eps.input!, wave: 0.01 },
      norms: { input: row.norms.input!, wave: row.norms.input! },
    } as const;
    return [two, { ...two, norm: { input: 'l2', wave: 'l2' } as const, example: undefined! }];
  });
  const base = fixture();
  const inputs = { ...base.model.inputs, wave: { ...base.model.inputs.input!, modality: 'audio', storage: 'pcm16' } } as const;
  const page = await renderReport(
    fixture(
      { model: { ...base.model, inputs } },
      rows.map(({ example: _, ...row }) => row),
    ),
  );
  expect(page.match(/<figure class="chart">/g)).toHaveLength(2);
  expect(page).toContain('L∞ input 8/255, wave 0.01');
  expect(page).toContain('(evenly spaced)');
});
