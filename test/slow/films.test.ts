/** Films of frames in a real browser: by mouse, by keyboard, and as strips without a script. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../src/app/report/render.ts';
import { flipFixture } from '../app/report/flips-fixture.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync', '--no-first-run'];

let folder: string;
let address: string;
let browser: Browser;
const complaints: string[] = [];
const requests: string[] = [];

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options })).newPage();
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return page;
}

describe.skipIf(!existsSync(executablePath))('films in a browser', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provoke-films-'));
    const path = join(folder, 'report.html');
    await writeFile(path, await renderReport(flipFixture()));
    address = pathToFileURL(path).href;
    browser = await chromium.launch({ executablePath, args });
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('play, pause and step by keyboard, original and attacked together', async () => {
    const page = await open();
    const film = page.locator('.films').first();
    const told = film.locator('output');
    const frames = () => film.locator('.reel').evaluateAll((all) => all.map((one) => one.style.getPropertyValue('--k')));
    await film.focus();
    expect(await told.innerText()).toMatch(/^frame 1 of 4, 0–20 ms: \d+ added, \d+ deleted$/);
    await page.keyboard.press('ArrowRight');
    expect(await told.innerText()).toMatch(/^frame 2 of 4/);
    expect(await frames()).toEqual(['1', '1']);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await told.innerText()).toMatch(/^frame 4 of 4/);
    await page.keyboard.press(' ');
    await expect.poll(() => told.innerText()).toMatch(/^frame [123] of 4/);
    await page.keyboard.press(' ');
    const still = await told.innerText();
    await page.waitForTimeout(600);
    expect(await told.innerText()).toBe(still);
  });

  it('shows one frame, whole and nothing of the next', async () => {
    const page = await open();
    const [box, picture] = await page
      .locator('.films .reel')
      .first()
      .evaluate((one) => [one, one.firstElementChild!].map((e) => e.getBoundingClientRect().width));
    expect(picture! / box!).toBeCloseTo((4 * 9) / 8, 2);
  });

  it('in the detail view arrows turn samples, but in the slider frames', async () => {
    const page = await open();
    await page.click('[data-filter=fooled]');
    await page.locator('.cards li:not([hidden]) .card').first().click();
    const title = () => page.locator('#detail-title').innerText();
    const first = await title();
    expect(await page.locator('#detail .reel').count()).toBe(2);
    expect(await page.locator('#detail .facts').innerText()).toContain('Cut anew by number');
    await page.keyboard.press('.');
    expect(await page.locator('#detail output').innerText()).toMatch(/^frame 2 of 4/);
    await page.locator('#detail input[type=range]').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#detail output').innerText()).toMatch(/^frame 3 of 4/);
    expect(await title()).toBe(first);
    await page.locator('#detail-title').focus();
    await page.keyboard.press('ArrowRight');
    expect(await title()).not.toBe(first);
  });

  it('without a script the frames stand side by side', async () => {
    const page = await open({ javaScriptEnabled: false });
    const reel = page.locator('.films .reel').first();
    const [box, picture] = [await reel.boundingBox(), await reel.locator('img').boundingBox()];
    expect(picture!.width).toBeGreaterThanOrEqual(box!.width - 1);
    expect(picture!.width / picture!.height).toBeCloseTo((4 * 9) / 8, 1);
    expect(await page.locator('.player').count()).toBe(0);
  });

  it('fits on a phone, asks the network for nothing and complains of nothing', async () => {
    const page = await open({ viewport: { width: 390, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
  });
});
