/** The report in a real browser: it loads nothing, complains of nothing, and can be used by mouse and by keyboard alone. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differencePixels } from '../../src/app/report/pictures.ts';
import { renderReport } from '../../src/app/report/render.ts';
import type { Pictures } from '../../src/app/report/report-data.ts';
import type { Row } from '../../src/kit/record/row.ts';
import { courseFixture } from '../app/report/course-fixture.ts';
import { fixture } from '../app/report/fixture.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const side = 112;
const png = async (data: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp(data, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer(),
  );

/** Drawn pictures: rings whose width depends on the sample. */
async function picture(row: Row): Promise<Pictures> {
  const seed = Number(row.sample.slice(5));
  const pixels = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [x, y] = [(Math.floor(i / 3) % side) - 56, Math.floor(i / 3 / side) - 56];
    return 128 + 100 * Math.cos(Math.hypot(x, y) / (4 + seed) + (i % 3));
  });
  const original = await png(pixels);
  if (row.example === undefined) return { kind: 'image', original };
  const step = Math.round(row.norms.input!.linf * 255);
  const changed = pixels.map((value, i) => Math.max(0, Math.min(255, value + ((i * 7919) % 11 < 5 ? step : -step))));
  return {
    kind: 'image',
    original,
    adversarial: await png(changed),
    difference: await png(differencePixels(pixels, changed)),
    gain: 10,
  };
}

let folder: string;
let address: string;
let browser: Browser;
const requests: string[] = [];
const complaints: string[] = [];

async function open(hash = '', options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address + hash);
  return page;
}

const shown = (page: Page): Promise<number> => page.locator('.cards > li:not([hidden])').count();
const shownName = (page: Page): Promise<string> => page.locator('.cards > li:not([hidden]) .card-head b').innerText();
const title = (page: Page): Promise<string> => page.locator('#detail-title').innerText();

describe.skipIf(!existsSync(executablePath))('the report in a browser', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provoke-report-'));
    const path = join(folder, 'report.html');
    await writeFile(path, await renderReport(fixture({ picture })));
    address = pathToFileURL(path).href;
    browser = await chromium.launch({ executablePath, args });
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('filters, searches and says how many', async () => {
    const page = await open();
    expect(await shown(page)).toBe(12);
    await page.click('[data-filter=skipped]');
    expect(await shownName(page)).toBe('face-04');
    expect(await page.locator('[data-filter=skipped] span').innerText()).toBe('1');
    await page.click('[data-filter=all]');
    await page.selectOption('#sample-attack', { label: 'noise' });
    await page.click('[data-filter=invalid]');
    expect(await shownName(page)).toBe('face-06');
    await page.click('[data-filter=all]');
    await page.fill('#sample-search', 'person-2');
    expect(await shown(page)).toBe(2);
    await page.fill('#sample-search', 'nobody');
    expect(await shown(page)).toBe(0);
    expect(await page.locator('#no-cards').isVisible()).toBe(true);
  });

  it('shows a sample on a click: three pictures, probabilities, sizes, and a link to it', async () => {
    const page = await open();
    await page.click('.card >> nth=1');
    expect(await title(page)).toBe('face-02');
    expect(await page.locator('#detail img').count()).toBe(3);
    expect(await page.locator('#detail .bars tbody tr').count()).toBe(7);
    await page.click('.chooser button[aria-label^="PGD at 8/255"]');
    const row = fixture().rows.find((one) => one.sample === 'face-02' && one.attack === 'pgd' && one.eps.input === 8 / 255)!;
    expect(await page.locator('#detail .facts').innerText()).toContain(`${Math.round(row.norms.input!.linf * 255)}/255`);
    expect(await page.locator('#detail .verdict').innerText()).toContain(
      `${(100 * row.probabilities[row.prediction]!).toFixed(1)}%`,
    );
    expect(page.url()).toContain('#sample=face-02&attack=pgd&eps=8/255');
    await page.click('#detail [aria-label=close]');
    expect(await page.locator('#detail').isVisible()).toBe(false);
    expect(page.url()).not.toContain('#');
  });

  it('works by keyboard alone', async () => {
    const page = await open();
    await page.locator('.card').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    expect(await title(page)).toBe('face-02');
    await page.keyboard.press('ArrowRight');
    expect(await title(page)).toBe('face-03');
    await page.keyboard.press('ArrowLeft');
    expect(page.url()).toContain('eps=8/255');
    await page.keyboard.press('b');
    expect(page.url()).toContain('eps=1/255');
    const before = new URLSearchParams(new URL(page.url()).hash.slice(1)).get('attack');
    await page.keyboard.press('a');
    expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('attack')).not.toBe(before);
    await page.keyboard.press('Escape');
    expect(await page.locator('#detail').isVisible()).toBe(false);
    expect(await page.locator('.card:focus .card-head b').innerText()).toBe('face-02');
  });

  it('opens what a link names, and follows a new one', async () => {
    const page = await open('#sample=face-07&attack=fgsm&eps=4/255');
    expect(await title(page)).toBe('face-07');
    expect(await page.locator('.chooser [aria-pressed=true]').getAttribute('aria-label')).toContain('FGSM at 4/255');
    await page.goto(`${address}#sample=face-01&attack=noise&eps=2/255`);
    expect(await title(page)).toBe('face-01');
  });

  it('repaints the confusions', async () => {
    const page = await open();
    const right = async (): Promise<number> =>
      (await page.locator('#confusion-attacked tbody td.right').allInnerTexts()).reduce((sum, text) => sum + Number(text), 0);
    for (const [attack, label] of [
      ['noise', 'noise'],
      ['pgd', 'PGD'],
    ] as const) {
      for (const k of [1, 8]) {
        await page.selectOption('#confusion-attack', { label });
        await page.selectOption('#confusion-budget', { label: `${k}/255` });
        expect(await page.locator('#confusion-attacked caption').innerText()).toBe(`${label} at ${k}/255`);
        const rows = fixture().rows.filter((row) => row.attack === attack && row.eps.input === k / 255);
        expect(await right()).toBe(rows.filter((row) => row.status === 'failure').length);
      }
    }
  });

  it('sorts the table up and down', async () => {
    const page = await open();
    const column = async (): Promise<number[]> =>
      (await page.locator('#cells tbody td:nth-child(4)').allInnerTexts()).map(Number);
    const head = page.locator('#cells thead button', { hasText: 'Fooled' });
    await head.click();
    const up = await column();
    expect(up).toEqual([...up].sort((a, b) => a - b));
    expect(up[0]).toBeLessThan(up.at(-1)!);
    await head.click();
    const down = await column();
    expect(down).toEqual([...down].sort((a, b) => b - a));
  });

  it.each(['light', 'dark'] as const)('fits a phone and a desk, %s, and every picture is there', async (colorScheme) => {
    for (const width of [390, 1400]) {
      const page = await open('', { viewport: { width, height: 844 }, colorScheme });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
      await page.screenshot({ path: join(folder, `${colorScheme}-${width}.png`), fullPage: true });
      await page.click('.card >> nth=1');
      await page.waitForFunction('[...document.images].every((image) => image.complete)');
      expect(await page.evaluate<number>('document.images.length')).toBe(15);
      expect(await page.evaluate<number>('[...document.images].filter((image) => image.naturalWidth === 0).length')).toBe(0);
      const detail = page.locator('#detail');
      expect(await detail.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
      await page.screenshot({ path: join(folder, `${colorScheme}-${width}-detail.png`) });
    }
  });

  it.each(['light', 'dark'] as const)('draws how the attacks went, on a phone and a desk, %s', async (colorScheme) => {
    const path = join(folder, 'course.html');
    await writeFile(path, await renderReport(courseFixture({ picture })));
    for (const width of [390, 1400]) {
      const page = await open('', { viewport: { width, height: 844 }, colorScheme });
      await page.goto(pathToFileURL(path).href);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
      const charts = page.locator(`#course .${width === 390 ? 'narrow' : 'wide'} svg`);
      expect(await charts.count()).toBe(4);
      for (const chart of await charts.all()) {
        expect(await chart.isVisible()).toBe(true);
        const colours = await chart
          .locator('polyline')
          .evaluateAll((lines) => lines.map((line) => line.ownerDocument.defaultView!.getComputedStyle(line).stroke));
        expect(new Set(colours).size).toBe(colours.length);
        const box = (await chart.boundingBox())!;
        for (const name of await chart.locator('.name').all()) {
          const { x, width: length } = (await name.boundingBox())!;
          expect(x + length).toBeLessThanOrEqual(box.x + box.width + 1);
        }
      }
      await page.locator('#course').screenshot({ path: join(folder, `course-${colorScheme}-${width}.png`) });
      await page.click('.card >> nth=1');
      await page.click('.chooser button[aria-label^="DDN at 8/255"]');
      expect(await page.locator('#detail .facts').innerText()).toContain('Smallest change found, before rounding\t1.3/255');
    }
  });

  it('still says everything without a script', async () => {
    const page = await open('', { javaScriptEnabled: false });
    expect(await page.locator('h1').innerText()).toContain('on 11 of 11 faces');
    expect(await page.locator('.card').count()).toBe(12);
    expect(await page.locator('#sample-controls').isVisible()).toBe(false);
    expect(await page.locator('#confusion-attacked caption').innerText()).toBe('Worst case at 8/255');
  });

  it('asked the network for nothing and left no word in the console', () => {
    const pages = [address, pathToFileURL(join(folder, 'course.html')).href];
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter((url) => !url.startsWith('data:') && !pages.includes(url.split('#')[0]!))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
